#!/bin/sh
set -eu
install -m 0755 /opt/rke2 /host/usr/local/bin/rke2
