"""Proof of a release's files: each of them is listed where users get it, with its digest, and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from release.core.finding import Done, Finding
from release.core.forge import Asset
from release.core.proving import by_digest, faults, files_of
from release.core.record import Record
from release.ports import Shown
from release.steps.assets import fetched
from release.steps.proving import Proves, some
from release.steps.verify import manifest_among


@dataclass(frozen=True, eq=False)
class ProveAssets(Proves):
    """By the record of the release (None for one without), and by its own manifest, the one file that is fetched."""

    record: Record | None
    shown: Shown

    def looked(self) -> Finding[str]:
        tag, where = self.release.tag, self.shown.name
        out = self.shown.published(tag)
        if out is None:
            return self.unproved(f"no release {tag} is out in {where}", f"finish it: invoke release --version {tag}")
        listed = self._listed(out.id)
        files = files_of(self.release, self.record, listed, manifest_among(self.shown, listed))
        if wrong := list(faults(files)):
            return self.unproved(f"its release in {where} {some(wrong, '; ')}", self._remedy)
        words = f"{len(files)} assets of {tag} in {where}, {by_digest(files)} of them by digest"
        return Done(words, words)

    def _listed(self, number: int) -> tuple[Asset, ...]:
        return self.shown.assets(number)

    @property
    def _remedy(self) -> str:
        tag = self.release.tag
        return f"see all of it: invoke release.verify --version {tag}; what is out is not changed any more: release the next version"


@dataclass(frozen=True, eq=False)
class ProveFolder(ProveAssets):
    """The same for a folder that took them: it says no digests, so its files are read."""

    def _listed(self, number: int) -> tuple[Asset, ...]:
        listed = super()._listed(number)
        return tuple(msgspec.structs.replace(one, digest=fetched(self.shown, one)) for one in listed)
