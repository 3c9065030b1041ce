# AWS_PROFILE follows the trusted .credtray.toml of the directory you are in: what `credtray hook bash` prints.
# Works in bash 3.2, with `set -u` and `set -e` too. What credtray prints is read, never run.

_credtray_hook() {
  local before=$? dir=$PWD file= seen
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
  if [[ -n $file && $file -nt $_credtray_trusted ]]; then
    seen="changed $file"
  fi
  if [[ $seen != "${_credtray_seen--}" ]]; then
    _credtray_seen=$seen
    _credtray_leave
    if [[ -n $file ]]; then
      _credtray_enter
    fi
  fi
  if [[ -n ${_credtray_prompted-} ]]; then
    _credtray_show
  fi
  return "$before"
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
  if [[ -n ${!1+x} ]]; then
    was=x${!1}
  fi
  printf -v "_credtray_was_$1" %s "$was"
  printf -v "_credtray_put_$1" %s "$2"
  export "_credtray_was_$1" "_credtray_put_$1" "$1=$2"
}

# Give the variables back, but for those that somebody has set to something else since.
_credtray_leave() {
  local name put was
  for name in AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION; do
    put=_credtray_put_$name
    was=_credtray_was_$name
    if [[ -n ${!put-} ]]; then
      if [[ ${!name-} == "${!put}" ]]; then
        if [[ -n ${!was-} ]]; then
          was=${!was}
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
  local name=${AWS_PROFILE-} kind colour=36
  if [[ $name == "${_credtray_shown-}" ]]; then
    return 0
  fi
  _credtray_shown=$name
  _credtray_mark=
  if [[ -z $name ]]; then
    return 0
  fi
  kind=$(command credtray project --kind "$name" 2>/dev/null) || kind=
  name=${name//[![:print:]]/?}
  if [[ $kind == production ]]; then
    name="$name production"
    colour='97;41'
  fi
  if [[ -n ${NO_COLOR-} || ${TERM-dumb} == dumb ]]; then
    _credtray_mark="[$name] "
  else
    # What takes no room stands between these two, or readline counts it as part of the line.
    _credtray_mark=$'\001\e['"${colour}m"$'\002'"[$name]"$'\001\e[0m\002 '
  fi
}

_credtray_with_prompt() {
  if [[ -z ${_credtray_prompted-} ]]; then
    _credtray_prompted=yes
    PS1='${_credtray_mark-}'${PS1-}
  fi
}

if [[ ";${PROMPT_COMMAND[*]-};" != *_credtray_hook* ]]; then
  if [[ "$(declare -p PROMPT_COMMAND 2>/dev/null || true)" == 'declare -a'* ]]; then
    PROMPT_COMMAND=(_credtray_hook "${PROMPT_COMMAND[@]}")
  else
    PROMPT_COMMAND="_credtray_hook${PROMPT_COMMAND:+;$PROMPT_COMMAND}"
  fi
fi
