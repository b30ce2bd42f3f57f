"""Claims of a component's own schedule: one ref a release in the component's repository, made and moved only from where it was.

`refs/sluice/sync/<tag>` points at a commit whose tree holds `claim.json`; `git show` reads it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from release.adapters.decoding import decoded
from release.adapters.git.ledger import GitLedger
from release.adapters.git.remote import GitRemote
from release.core.model import Person, Release
from release.core.record import PREFIX, Proof, Record, State, ref_of
from release.errors import Refused, ReleaseError

FOLDER = f"{PREFIX}sync/"
FILE = "claim.json"


class SyncClaims:
    """The claim for one tag, under each name that something is claimed by. `now` gives ISO 8601 UTC."""

    def __init__(self, remote: GitRemote, who: Person, now: Callable[[], str], tag: str) -> None:
        self._remote, self._who, self._now = remote, who, now
        self._tag = tag
        self._seen: Record | None = None

    def fresh(self, release: Release) -> Record | None:
        """What is claimed for the tag, as a record that is nobody's but this claim's."""
        ref = FOLDER + self._tag
        tip = self._remote.at(ref)
        state = State("begun", release.base, self._who, "")
        self._seen = Record(release.line, tip, release, state, self._read(ref, tip) if tip else {})
        return self._seen

    def latest(self, release: Release) -> Record | None:
        """The same, as it was seen or written last."""
        return self._seen

    def claim(self, record: Record, name: str, proof: Proof, over: Proof | None = None) -> bool:
        """Write a claim only where `over` is what is claimed now; false if somebody came first."""
        now = self.fresh(record.release)
        if now is None or now.evidence.get(name) != over:
            return False
        evidence = {**now.evidence, name: proof}
        text = msgspec.json.format(msgspec.json.encode(evidence), indent=1).decode() + "\n"
        files = {FILE: ("100644", text)}
        parents = [now.tip] if now.tip else []
        commit = self._remote.write(parents, files, f"claimed {self._tag}", self._who, self._now(), fresh=True)
        ref = FOLDER + self._tag
        try:
            self._remote.push((ref, now.tip, commit))
        except ReleaseError as error:
            tip = self._remote.at(ref)
            if isinstance(error, Refused) and tip == now.tip:
                raise
            if tip != commit:
                return False
        self._seen = msgspec.structs.replace(now, tip=commit, evidence=evidence)
        return True

    def claimed(self, release: Release, name: str) -> Proof | None:
        """What is claimed for the tag, fresh."""
        record = self.fresh(release)
        return record.evidence.get(name) if record is not None else None

    def _read(self, ref: str, tip: str) -> dict[str, Proof]:
        self._remote.bring([ref], [tip])
        try:
            return decoded(self._remote.files(tip, (FILE,))[FILE] or "", dict[str, Proof])
        except (msgspec.MsgspecError, RecursionError) as error:
            why = f"the claim {ref} of {self._remote.name} cannot be read ({error})"
            raise ReleaseError(why, "look at it with `git show`; where it is nobody's, delete that ref") from error


class RecordClaims:
    """Claims of captains, in the upstream's records: of a line's newest release, or else of one in the line's history."""

    def __init__(self, newest: GitLedger, whole: Callable[[], tuple[GitLedger, GitRemote]]) -> None:
        self._newest, self._whole = newest, whole

    def claimed(self, release: Release, name: str) -> Proof | None:
        """What the record of that tag says under that name, fresh."""
        record = self._newest.read(release.line)
        if record is not None and record.release.tag != release.tag:
            ledger, remote = self._whole()
            ledger.all(remote.refs(ref_of(release.line)))
            record = ledger.past(release.line, release.tag)
        return record.evidence.get(name) if record is not None else None
