#!/bin/sh
# dpkg takes /opt away with the last that was in it, although it was there before.
set -e
[ -d /opt ] || mkdir -m 755 /opt
