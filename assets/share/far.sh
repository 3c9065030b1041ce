# Runs at the far end of `credtray share`, read by sh from its input. Before it come lines that set:
#   mark     a word of this connection
#   port     where keys are to be had there; nothing: at the socket /tmp/$mark, which sshd made for this user
#   token    what has to be said at that port, at which others could ask as well
#   name     a word for file names and for the profile
#   region   of the profile, or nothing
#   origin   the computer that shares, for messages
#   get      the script that fetches keys
# Writes no key to any disk. Ends, and takes away what it made, when the connection does.
umask 077
place=$HOME/.credtray/share
mkdir -p "$place" || exit 1
if ! command -v curl >/dev/null 2>&1 && ! command -v python3 >/dev/null 2>&1; then
  echo "credtray: there is neither curl nor python3" >&2
  exit 1
fi
printf '%s\n' "$get" >"$place/$name.get" || exit 1
{
  echo "[profile $name]"
  echo "credential_process = sh \"$place/$name.get\" \"$origin\""
  [ -z "$region" ] || echo "region = $region"
} >"$place/$name.config" || exit 1
# A profile of this name with keys of its own, in the usual file, would go before this one.
settings="AWS_SHARED_CREDENTIALS_FILE=/dev/null
AWS_CONFIG_FILE=$place/$name.config
AWS_PROFILE=$name
AWS_SDK_LOAD_CONFIG=1"
# Writes what sets the environment: one line for each name that goes, then one for each that comes.
lines() { # NAME-GOES NAME-COMES EQUALS
  echo "# What to type where keys of $origin are wanted: source this file"
  for old in AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN; do
    echo "$1 $old"
  done
  printf '%s\n' "$settings" | while IFS= read -r line; do
    echo "$2 ${line%%=*}$3\"${line#*=}\""
  done
}
lines unset export = >"$place/$name" || exit 1
typed=$place/$name
case ${SHELL##*/} in
fish) typed=$typed.fish && lines "set -e" "set -gx" " " >"$typed" || exit 1 ;;
csh | tcsh) typed=$typed.csh && lines unsetenv setenv " " >"$typed" || exit 1 ;;
esac
if [ -z "$port" ]; then
  way=/tmp/$mark
  link=$place/$name.sock
  other=$place/$name.port
else
  hold=$place
  [ ! -d "$XDG_RUNTIME_DIR" ] || [ ! -w "$XDG_RUNTIME_DIR" ] || hold=$XDG_RUNTIME_DIR # in memory, not on a disk
  way=$hold/$mark
  printf '%s\n%s\n' "$port" "$token" >"$way" || exit 1
  link=$place/$name.port
  other=$place/$name.sock
fi
ln -sfn "$way" "$link" && rm -f "$other" || exit 1
away() {
  trap - EXIT HUP INT TERM
  # A newer connection has put its own way here meanwhile: then all of this is its.
  if [ "$(readlink "$link")" = "$way" ]; then
    rm -f "$link" "$typed" "$place/$name" "$place/$name.get" "$place/$name.config"
    rmdir "$place" "$HOME/.credtray" 2>/dev/null
  fi
  rm -f "$way"
}
trap away EXIT
trap 'away; exit 1' HUP INT TERM
echo "ready $mark $typed"
cat >/dev/null
exit 0
