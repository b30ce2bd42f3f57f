"""podman (https://github.com/containers/podman, 4.3 and later): buildah's engine in another program. Linux alone."""

from __future__ import annotations

from pathlib import Path

from release.adapters.builders.engine import StoredEngine


class Podman(StoredEngine):
    """As buildah, but that it also keeps a state, which gets a folder of ours, and a log of events, which it does not write.

    Where podman is only a client of a machine elsewhere, it does not know these options, and cannot be used.
    """

    name = program = "podman"

    def _storage(self, work: Path) -> list[str]:
        state = work / "state"
        state.mkdir(exist_ok=True)
        return [*super()._storage(work), "--tmpdir", str(state), "--events-backend", "none"]
