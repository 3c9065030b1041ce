#!/bin/sh
# Homes are their users': a package takes nothing out of them.
set -e
case "${1:-}" in
    remove | 0) # dpkg's word, rpm's number
        echo "credtray: what it keeps in a home stays there (login entry, state, keys of active profiles)."
        echo "credtray: to take that out as well, run 'credtray uninstall' before; afterwards 'credtray.pyz uninstall'."
        ;;
esac
