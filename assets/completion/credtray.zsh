#compdef credtray
# Completion of credtray for zsh: eval "$(credtray completion zsh)" after compinit, or as _credtray in $fpath.

_credtray() {
    local -a lines described
    local kind line value
    lines=("${(@f)$(command credtray __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" \
        2>/dev/null </dev/null)}")
    kind=$lines[1]
    case $kind in
        words)
            for line in "${(@)lines[2,-1]}"; do
                value=${line%%$'\t'*}
                value=${value//\\/\\\\}
                described+=("${value//:/\\:}${${line#*$'\t'}:+:${line#*$'\t'}}")
            done
            (($#described)) && _describe -V credtray described
            ;;
        files)
            _files
            ;;
        'command '*)
            shift $((${kind#command } + 1)) words
            ((CURRENT -= ${kind#command } + 1))
            _normal
            ;;
    esac
}

if [[ $funcstack[1] == _credtray ]]; then
    _credtray "$@"
elif (($+functions[compdef])); then
    compdef _credtray credtray
fi
