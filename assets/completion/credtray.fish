# Completion of credtray for fish: credtray completion fish > ~/.config/fish/completions/credtray.fish

function __credtray_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (command credtray __complete fish $words[2..-1] "$current" 2>/dev/null </dev/null)
    switch "$lines[1]"
        case words
            printf '%s\n' $lines[2..-1]
        case files
            __fish_complete_path "$current"
        case 'command *'
            set -l first (math 2 + (string replace 'command ' '' -- $lines[1]))
            complete -C (string join ' ' -- (string escape -- $words[$first..-1]) "$current")
    end
end

complete -c credtray -f -a '(__credtray_complete)'
