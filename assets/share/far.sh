# Runs at the far end of `credtray share`, read by sh from its input. Before it come lines that set:
#   socket   the forwarded socket, which sshd has made for this user alone
#   name     a word for file names and for the profile
#   region   of the profile, or nothing
#   origin   the computer that shares, for messages
# Writes no key to any disk. Ends, and takes away what it made, when the connection does.
umask 077
place=$HOME/.credtray/share
mkdir -p "$place" || exit 1
mark=$place/$name.sock
if curl --unix-socket x --version >/dev/null 2>&1; then # one before 7.40 does not know that option
  get='curl -q --silent --show-error --speed-limit 1 --speed-time 2 --unix-socket "$mark" http://credtray/keys'
elif command -v python3 >/dev/null 2>&1; then
  get='python3 -c "
import socket, sys
link = socket.socket(socket.AF_UNIX)
link.settimeout(2)
link.connect(sys.argv[1])
link.sendall(b\"GET /keys HTTP/1.1\\r\\nHost: credtray\\r\\n\\r\\n\")
answer = part = link.recv(65536)
while part:
    part = link.recv(65536)
    answer += part
print(answer.partition(b\"\\r\\n\\r\\n\")[2].decode())
" "$mark"'
else
  echo "credtray: there is neither curl nor python3" >&2
  exit 1
fi
cat >"$place/$name.get" <<SCRIPT || exit 1
#!/bin/sh
# Fetches keys from $origin for an AWS program: see $place/$name
cd "\$HOME/.credtray/share" && mark=$name.sock # a socket's whole path may have no more than 107 bytes
answer=\$($get 2>/dev/null) || {
  echo "credtray: the link to $origin is down; it comes back by itself while 'credtray share' runs there" >&2
  exit 1
}
case \$answer in
*'"Version"'*) printf '%s\n' "\$answer" ;;
*) printf 'credtray: %s\n' "\$answer" >&2 && exit 1 ;;
esac
SCRIPT
chmod 700 "$place/$name.get" || exit 1
{
  echo "[profile $name]"
  echo "credential_process = sh \"$place/$name.get\""
  [ -z "$region" ] || echo "region = $region"
} >"$place/$name.config" || exit 1
{
  echo "# What to type where keys of $origin are wanted: . $place/$name"
  echo "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"
  # A profile of this name with keys of its own, in the usual file, would go before this one.
  echo "export AWS_SHARED_CREDENTIALS_FILE=/dev/null"
  echo "export AWS_CONFIG_FILE=\"$place/$name.config\" AWS_PROFILE=\"$name\" AWS_SDK_LOAD_CONFIG=1"
} >"$place/$name" || exit 1
ln -sfn "$socket" "$mark" || exit 1
away() {
  trap - EXIT HUP INT TERM
  # A newer connection has put its own socket here meanwhile: then all of this is its.
  if [ "$(readlink "$mark")" = "$socket" ]; then
    rm -f "$mark" "$place/$name" "$place/$name.get" "$place/$name.config"
    rmdir "$place" "$HOME/.credtray" 2>/dev/null
  fi
  rm -f "$socket"
}
trap away EXIT
trap 'away; exit 1' HUP INT TERM
echo "ready $socket $place/$name"
cat >/dev/null
exit 0
