"""Supply: where the bytes of built files are. In this machine's store; or in the draft, from another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from release.core.forge import Asset
from release.core.model import Release
from release.core.record import DRAFT
from release.errors import Refused
from release.ports import Forge, Ledger, Shelf


class Artifact(msgspec.Struct, frozen=True):
    """A file that was made: `sha256` in hex, `size` in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Supply:
    """The files of one release, by digest. `forge` is None where there is none."""

    release: Release
    ledger: Ledger
    shelf: Shelf
    forge: Forge | None = None

    def here(self, file: Artifact) -> bool:
        """Whether the store has it."""
        return self.shelf.kept(file.sha256) is not None

    def uploaded(self, files: Sequence[Artifact]) -> bool:
        """Whether the very bytes of all of them lie in the draft of the record: then nobody needs to make them again."""
        assets = self._assets()
        return all(any(_is(asset, file) for asset in assets) for file in files)

    def path(self, file: Artifact) -> Path:
        """The file in the store; it is fetched from the draft where it is not here."""
        if (place := self.shelf.kept(file.sha256)) is not None:
            return place
        asset = next((one for one in self._assets() if _is(one, file)), None)
        if asset is None or self.forge is None:
            why = f"{file.name} with sha256 {file.sha256[:12]} is neither in the store of this machine nor in the draft"
            raise Refused(why, "go on where it was built, or run the same command again: it is built anew")
        got = self.shelf.take(self.forge.download(asset.id))
        if got != (file.sha256, file.size):
            why = f"{file.name} in the draft has sha256 {got[0][:12]}, and the record says {file.sha256[:12]}"
            raise Refused(why, "delete it in the draft, then run the same command again")
        place = self.shelf.kept(file.sha256)
        assert place is not None, "it was taken in just now"
        return place

    def inputs(self, names: Iterable[str], files: Sequence[Artifact]) -> Mapping[str, Path]:
        """Those of the files that are named, by name."""
        by_name = {file.name: file for file in files}
        return {name: self.path(by_name[name]) for name in names}

    def _assets(self) -> tuple[Asset, ...]:
        record = self.ledger.latest(self.release)
        draft = record.evidence.get(DRAFT) if record is not None else None
        if self.forge is None or draft is None or self.forge.release(draft.id) is None:  # somebody may have deleted it
            return ()
        return self.forge.assets(draft.id)


def _is(asset: Asset, file: Artifact) -> bool:
    return asset.complete and (asset.name, asset.digest) == (file.name, file.sha256)
