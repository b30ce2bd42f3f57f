#!/bin/sh
set -eu
exec ./rke2 "$@"
