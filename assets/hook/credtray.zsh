# AWS_PROFILE follows the trusted .credtray.toml of the directory you are in: what `credtray hook zsh` prints.
# What credtray prints is read, never run.

_credtray_hook() {
  emulate -L zsh
  local dir=$PWD file= seen
  while [[ -n $dir ]]; do
    if [[ -e $dir/.credtray.toml ]]; then
      file=$dir/.credtray.toml
      break
    fi
    dir=${dir%/*}
  done
  if [[ -z $file && -e /.credtray.toml ]]; then
    file=/.credtray.toml
  fi
  seen=$file
  if [[ -n $file ]] && { [[ ! -e $_credtray_trusted ]] || [[ $file -nt $_credtray_trusted ]] }; then
    seen="changed $file"
  fi
  if [[ $seen != "${_credtray_seen--}" ]]; then
    typeset -g _credtray_seen=$seen
    _credtray_leave
    if [[ -n $file ]]; then
      _credtray_enter
    fi
  fi
  if [[ -n ${_credtray_prompted-} ]]; then
    _credtray_show
  fi
}

_credtray_enter() {
  local lines profile region
  lines=$(command credtray project --lines) || return 0
  if [[ -z $lines ]]; then
    return 0
  fi
  profile=${lines%%$'\n'*}
  region=${lines#*$'\n'}
  _credtray_put AWS_PROFILE "$profile"
  if [[ $region != - ]]; then
    _credtray_put AWS_REGION "$region"
    _credtray_put AWS_DEFAULT_REGION "$region"
  fi
}

# Set a variable, and keep what it was: "x" and its value where it was set. A shell within this one knows that, too.
_credtray_put() {
  local was=
  if (( ${(P)+1} )); then
    was=x${(P)1}
  fi
  typeset -gx "_credtray_was_$1=$was" "_credtray_put_$1=$2"
  export "$1=$2"
}

# Give the variables back, but for those that somebody has set to something else since.
_credtray_leave() {
  local name put was
  for name in AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION; do
    put=_credtray_put_$name
    was=_credtray_was_$name
    if [[ -n ${(P)put-} ]]; then
      if [[ ${(P)name-} == "${(P)put}" ]]; then
        if [[ -n ${(P)was-} ]]; then
          was=${(P)was}
          export "$name=${was#x}"
        else
          unset "$name"
        fi
      fi
      unset "_credtray_put_$name" "_credtray_was_$name"
    fi
  done
}

# Work out what stands in the prompt, when the profile is another one than before.
_credtray_show() {
  local name=${AWS_PROFILE-} kind before='%F{cyan}' after='%f'
  if [[ $name == "${_credtray_shown-}" ]]; then
    return 0
  fi
  typeset -g _credtray_shown=$name _credtray_mark=
  if [[ -z $name ]]; then
    return 0
  fi
  kind=$(command credtray project --kind "$name" 2>/dev/null) || kind=
  name=${name//[^[:print:]]/?}
  # The prompt gives a meaning to these, also in a value.
  name=${name//[%!\`\$\\]/?}
  if [[ $kind == production ]]; then
    name="$name production"
    before='%K{red}%F{white}' after='%f%k'
  fi
  if [[ -n ${NO_COLOR-} || ${TERM-dumb} == dumb ]]; then
    before= after=
  fi
  _credtray_mark="${before}[$name]${after} "
}

_credtray_with_prompt() {
  if [[ -z ${_credtray_prompted-} ]]; then
    typeset -g _credtray_prompted=yes
    setopt prompt_subst
    PROMPT='${_credtray_mark-}'${PROMPT-}
  fi
}

autoload -Uz add-zsh-hook
add-zsh-hook precmd _credtray_hook
