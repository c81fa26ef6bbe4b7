#!/bin/sh
# Reads what is to be opened, and announces an answer of 2^64 - 1 bytes.
exec 3<&0
cat <&3 >/dev/null &
printf '\377\377\377\377\377\377\377\377' >&0
exec sleep 60
