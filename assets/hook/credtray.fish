# AWS_PROFILE follows the trusted .credtray.toml of the directory you are in: what `credtray hook fish` prints.
# What credtray prints is read, never run.

function _credtray_hook --on-event fish_prompt
    set -l before $status
    set -l dir $PWD
    set -l file
    while test -n "$dir"
        if test -e "$dir/.credtray.toml"
            set file "$dir/.credtray.toml"
            break
        end
        set dir (string replace -r '/[^/]*$' '' -- $dir)
    end
    if test -z "$file"; and test -e /.credtray.toml
        set file /.credtray.toml
    end
    set -l seen "$file"
    # The builtin of fish 3.6 cannot compare times.
    if test -n "$file"; and command test "$file" -nt "$_credtray_trusted"
        set seen "changed $file"
    end
    if not set -q _credtray_seen; or test "$seen" != "$_credtray_seen"
        set -g _credtray_seen $seen
        _credtray_leave
        if test -n "$file"
            _credtray_enter
        end
    end
    if set -q _credtray_prompted
        _credtray_show
    end
    return $before
end

function _credtray_enter
    set -l lines (command credtray project --lines)
    if test (count $lines) -lt 2
        return 0
    end
    _credtray_put AWS_PROFILE $lines[1]
    if test "$lines[2]" != -
        _credtray_put AWS_REGION $lines[2]
        _credtray_put AWS_DEFAULT_REGION $lines[2]
    end
end

# Set a variable, and keep what it was: "x" and its value where it was set. A shell within this one knows that, too.
function _credtray_put
    set -l was
    if set -q $argv[1]
        set was x"$$argv[1]"
    end
    set -gx _credtray_was_$argv[1] "$was"
    set -gx _credtray_put_$argv[1] $argv[2]
    set -gx $argv[1] $argv[2]
end

# Give the variables back, but for those that somebody has set to something else since.
function _credtray_leave
    for name in AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION
        set -l put _credtray_put_$name
        set -l was _credtray_was_$name
        if set -q $put
            if test "$$name" = "$$put"
                if test -n "$$was"
                    set -gx $name (string sub -s 2 -- $$was)
                else
                    set -eg $name
                end
            end
            set -eg $put
            set -eg $was
        end
    end
end

# Work out what stands in the prompt, when the profile is another one than before.
function _credtray_show
    if test "$AWS_PROFILE" = "$_credtray_shown"
        return 0
    end
    set -g _credtray_shown "$AWS_PROFILE"
    set -g _credtray_mark ''
    if test -z "$AWS_PROFILE"
        return 0
    end
    set -l kind (command credtray project --kind "$AWS_PROFILE" 2>/dev/null)
    set -l name (string replace -ra '[[:cntrl:]]' '?' -- $AWS_PROFILE)
    set -l before (set_color cyan)
    if test "$kind" = production
        set name "$name production"
        set before (set_color -b red white)
    end
    set -l after (set_color normal)
    if test -n "$NO_COLOR"; or test "$TERM" = dumb
        set before ''
        set after ''
    end
    set -g _credtray_mark "$before""[$name]""$after "
end

function _credtray_with_prompt
    if not set -q _credtray_prompted
        set -g _credtray_prompted yes
        if functions -q fish_prompt
            functions -c fish_prompt _credtray_former_prompt
        else
            function _credtray_former_prompt
                echo '> '
            end
        end
        function fish_prompt
            set -l before $status
            printf %s "$_credtray_mark"
            _credtray_status $before
            _credtray_former_prompt
        end
    end
end

function _credtray_status
    return $argv[1]
end
