#!/bin/sh
# Makes sure that the container can fetch keys: by curl or by Python 3. All the rest is in the directory that is mounted.
# Runs as root while the image is built, in whatever sh the image has.
set -eu
able() { # curl before 7.40 does not know Unix sockets
  curl --unix-socket x --version >/dev/null 2>&1 || python3 --version >/dev/null 2>&1
}
if able; then
  echo "credtray: curl or Python 3 is there"
  exit 0
fi
if [ "${INSTALLCURL:-true}" != true ]; then
  echo "credtray: the image has neither curl nor Python 3, and installCurl is false" >&2
  exit 1
fi
if command -v apt-get >/dev/null 2>&1; then
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends curl
elif command -v apk >/dev/null 2>&1; then
  apk add --no-cache curl
elif command -v dnf >/dev/null 2>&1; then
  dnf install -y curl
elif command -v microdnf >/dev/null 2>&1; then
  microdnf install -y curl
elif command -v zypper >/dev/null 2>&1; then
  zypper --non-interactive install curl
fi
if ! able; then
  echo "credtray: the image has neither curl nor Python 3, and curl could not be installed" >&2
  exit 1
fi
