#!/bin/sh
echo 'I am no worker' >&2
exit 7
