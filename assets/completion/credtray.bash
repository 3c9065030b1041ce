# Completion of credtray for bash 3.2 and newer: eval "$(credtray completion bash)"

_credtray_completion() {
    local kind='' line
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ -z $kind ]]; then kind=$line; else COMPREPLY+=("$line"); fi
    done < <(command credtray __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" \
        2>/dev/null </dev/null)
    case $kind in
        files) _credtray_files "$2" ;;
        command*) _credtray_command "${kind#command }" "$2" ;;
    esac
}

_credtray_files() {
    # bash 3.2 has no compopt: there a name with spaces has to be quoted by hand.
    compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$1"))
}

_credtray_command() {
    local first=$(($1 + 1)) each
    for ((each = 1; each < COMP_CWORD; each++)); do
        if [[ ${COMP_WORDS[each]} == -- ]]; then
            first=$((each + 1))
            break
        fi
    done
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$first"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$first"
    elif ((COMP_CWORD == first)); then
        COMPREPLY=($(compgen -c -- "$2"))
    else
        _credtray_files "$2"
    fi
}

complete -F _credtray_completion credtray
