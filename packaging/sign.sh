#!/bin/sh
# Signs programs and installers for Windows, if there is a certificate to do it with: packaging/sign.sh FILE...
#
#   CREDTRAY_CERTIFICATE           a PKCS #12 file; without it nothing is signed, and that is said
#   CREDTRAY_CERTIFICATE_PASSWORD  a file that holds its password; not in arguments, which everybody may read
#   CREDTRAY_TIMESTAMPS            the address of a service that attests when; without it a signature ends with
#                                  its certificate. What it attests differs each time, and so do the files
#   SOURCE_DATE_EPOCH              the time that a signature says it was made at; a key for RSA then signs the same
#                                  file the same way each time
set -eu

if [ -z "${CREDTRAY_CERTIFICATE:-}" ]; then
    echo "sign: no CREDTRAY_CERTIFICATE: not signed: $*" >&2
    exit 0
fi
for file in "$@"; do
    osslsigncode sign -h sha256 -pkcs12 "$CREDTRAY_CERTIFICATE" \
        ${CREDTRAY_CERTIFICATE_PASSWORD:+-readpass "$CREDTRAY_CERTIFICATE_PASSWORD"} \
        ${CREDTRAY_TIMESTAMPS:+-ts "$CREDTRAY_TIMESTAMPS"} ${SOURCE_DATE_EPOCH:+-st "$SOURCE_DATE_EPOCH"} -n credtray -in "$file" -out "$file.signed" >/dev/null
    touch -r "$file" "$file.signed"
    mv "$file.signed" "$file"
    echo "sign: signed: $file" >&2
done
