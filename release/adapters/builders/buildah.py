"""buildah (https://github.com/containers/buildah, 1.28 and later): builds without a daemon, and the same bytes twice."""

from __future__ import annotations

from release.adapters.builders.engine import StoredEngine


class Buildah(StoredEngine):
    """`--timestamp` dates everything, layers and configuration."""

    name = program = "buildah"
