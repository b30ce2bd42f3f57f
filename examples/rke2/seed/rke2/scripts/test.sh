#!/bin/sh
# The gate of a release: the scripts can be read, and the version file names a Kubernetes version.
set -eu
sh -n scripts/build.sh
. scripts/version.sh
case $KUBERNETES_VERSION in
v[0-9]*.[0-9]*.[0-9]*) echo "Kubernetes $KUBERNETES_VERSION" ;;
*) echo "scripts/version.sh names no Kubernetes version: '$KUBERNETES_VERSION'" >&2 && exit 1 ;;
esac
