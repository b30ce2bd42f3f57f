#!/bin/sh
# Builds the binary of one platform: the same commit gives the same bytes, on every machine.
set -eu
. scripts/version.sh

arch=${SLUICE_PLATFORM#*/}
cat >"$SLUICE_OUTPUT/rke2.linux-$arch" <<END
rke2 $SLUICE_VERSION for $SLUICE_PLATFORM
tag $SLUICE_TAG
commit $SLUICE_COMMIT
kubernetes $KUBERNETES_VERSION
built at second $SOURCE_DATE_EPOCH
END
