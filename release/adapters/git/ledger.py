"""The records of an upstream: chains of commits under `refs/sluice/`, moved only by push with lease.

A record's tree holds `release.json` (the frozen Release), `state.json` and `evidence.json`; `git show` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from threading import Lock

import msgspec

from release.adapters.decoding import decoded
from release.adapters.git.remote import GitRemote
from release.core.model import Person, Refs, Release
from release.core.record import TAG, Broken, Outcome, Proof, Record, State, Withdrawal, ref_of
from release.errors import Refused, ReleaseError, Uncertain, Unseen

TRIES = 20
FILES = ("release.json", "state.json", "evidence.json")


class Unreadable(ReleaseError):
    """A record that is there, and that this version does not understand."""


Push = Callable[[tuple[str, str, str]], None]


class GitLedger:
    """Reads and writes records. `now` gives ISO 8601 UTC."""

    def __init__(self, remote: GitRemote, who: Person, now: Callable[[], str]) -> None:
        self._remote, self._who, self._now = remote, who, now
        self._seen: dict[str, Record] = {}
        self._latest: dict[str, Record] = {}
        self._tips: dict[str, str] = {}
        self._waiting: dict[str, dict[str, Proof]] = {}
        self._writing = Lock()
        self._queue = Lock()

    def read(self, line: str) -> Record | None:
        """The record of one line, fresh from the remote."""
        tip = self._remote.refs(ref_of(line)).records.get(line, "")
        return self._at(line, tip) if tip else None

    def latest(self, release: Release) -> Record | None:
        """The newest that this process has seen or written of a release's record; asks nobody."""
        record = self._latest.get(release.tag)
        return record if record is not None and record.of(release) else None

    def fresh(self, release: Release) -> Record | None:
        """A release's record: fresh if it is its line's newest, else as far as this process knows it."""
        record = self.read(release.line)
        return record if record is not None and record.of(release) else self.latest(release)

    def past(self, line: str, tag: str) -> Record | None:
        """An older release's last record, found in the history of its line, which was just seen."""
        if line not in self._tips:
            return None
        plain = re.sub(r"([.+])", r"[\1]", tag)
        wanted = f"^(begun|evidence|finished|abandoned) {plain}(:|$)"
        found = self._remote.find(self._tips[line], wanted, FILES)
        return self._at(line, found) if found else None

    def all(self, refs: Refs) -> tuple[Record | Broken, ...]:
        """The newest record of every line."""
        if refs.records:
            self._remote.bring([ref_of(line) for line in refs.records], list(refs.records.values()))
        return tuple(self._or_broken(line, tip) for line, tip in refs.records.items())

    def begin(self, record: Record) -> None:
        """Write a new record over the one at `record.tip` ("" for none); the release commit is a parent of it."""
        self._write(
            record, [*filter(None, [record.tip]), record.state.commit], f"begun {record.release.tag}", self._remote.push
        )

    def note(self, record: Record, evidence: Mapping[str, Proof]) -> None:
        """Add evidence; what several threads bring at the same time goes out in one push."""
        line, mine = record.line, dict(evidence)
        with self._queue:
            self._waiting.setdefault(line, {}).update(mine)
        with self._writing:
            with self._queue:
                batch = self._waiting.pop(line, {})
            now = self.latest(record.release)
            if (
                batch or now is None or not mine.items() <= now.evidence.items()
            ):  # whoever took ours along may have failed
                self._change(record, partial(_with, {**batch, **mine}), self._remote.push)

    def claim(self, record: Record, name: str, proof: Proof, over: Proof | None = None) -> bool:
        """Write a proof only where `over` is what the record says under that name; false if somebody came first."""

        def claimed(now: Record) -> tuple[Record, str]:
            return _with({name: proof}, now) if now.evidence.get(name) == over else (now, "")

        with self._writing:
            self._change(record, claimed, self._remote.push)
            now = self.latest(record.release)
        return now is not None and now.evidence.get(name) == proof

    def withdraw(self, record: Record, withdrawal: Withdrawal) -> None:
        """Say in a line's newest record that a release of it is not to be taken any more."""

        def withdrawn(now: Record) -> tuple[Record, str]:
            if any(one.version == withdrawal.version for one in now.state.withdrawn):
                return now, ""
            state = msgspec.structs.replace(now.state, withdrawn=(*now.state.withdrawn, withdrawal))
            return msgspec.structs.replace(now, state=state), f"withdrawn {withdrawal.version}"

        with self._writing:
            self._change(record, withdrawn, self._remote.push)

    def attested(self, record: Record, evidence: Mapping[str, Proof], push: Push) -> None:
        """Add evidence by a push of the caller's, all or none with what else it moves."""
        with self._writing:
            self._change(record, partial(_with, evidence), push)

    def close(self, record: Record, outcome: Outcome, why: str = "") -> None:
        """Say how a release ended."""

        def closed(now: Record) -> tuple[Record, str]:
            if outcome == "abandoned" and (TAG in now.evidence or now.state.outcome == "finished"):
                raise Refused(
                    f"{now.release.tag} became public meanwhile",
                    f"finish it: invoke release --version {now.release.tag}",
                )
            told = why.encode("utf-8", "replace").decode()
            state = msgspec.structs.replace(now.state, outcome=outcome, why=told, by=self._who, at=self._now())
            return (
                now if now.state.outcome == outcome else msgspec.structs.replace(now, state=state)
            ), f"{outcome} {now.release.tag}"

        with self._writing:
            self._change(record, closed, self._remote.push)

    def _change(self, record: Record, change: Callable[[Record], tuple[Record, str]], push: Push) -> None:
        """Compare and swap, from the newest that is known; again while others write to the same record."""
        now = self.latest(record.release) or self.read(record.line)
        for _ in range(TRIES):
            _stands(now, record)
            assert now is not None
            changed, message = change(now)
            if changed == now:
                return
            try:
                return self._write(changed, [now.tip], message, push)
            except Refused as refused:
                tried, now = now, self.read(record.line)
                if now is not None and now.tip == tried.tip:
                    raise refused
        raise Refused(f"the record of line {record.line} is written to without end", "run the same command again")

    def _write(self, record: Record, parents: list[str], message: str, push: Push) -> None:
        values = {"release": record.release, "state": record.state, "evidence": record.evidence}
        files = {f"{name}.json": ("100644", _document(value)) for name, value in values.items()}
        commit = self._remote.write(parents, files, message, self._who, self._now(), fresh=True)
        try:
            push((ref_of(record.line), record.tip, commit))
        except Uncertain:
            if not self._arrived(record.line, commit):
                raise
        self._keep(msgspec.structs.replace(record, tip=commit))

    def _arrived(self, line: str, commit: str) -> bool:
        """Whether a push whose answer was lost is seen to have been done; where nothing can be seen, nothing is known."""
        with suppress(Unseen):
            return self._remote.refs(ref_of(line)).records.get(line) == commit
        return False

    def _keep(self, record: Record) -> Record:
        self._seen[record.tip] = self._latest[record.release.tag] = record
        return record

    def _or_broken(self, line: str, tip: str) -> Record | Broken:
        self._tips[line] = tip
        try:
            return self._at(line, tip)
        except Unseen:
            raise
        except ReleaseError as error:
            return Broken(line, error.message)

    def _at(self, line: str, tip: str) -> Record:
        if (known := self._seen.get(tip)) is not None:
            return self._keep(known)
        self._remote.bring([ref_of(line)], [tip])
        texts = self._remote.files(tip, FILES)
        try:
            record = Record(
                line=line,
                tip=tip,
                release=decoded(texts["release.json"] or "", Release),
                state=decoded(texts["state.json"] or "", State),
                evidence=decoded(texts["evidence.json"] or "{}", dict[str, Proof]),
            )
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Unreadable(
                f"the record {ref_of(line)} at {tip[:10]} cannot be read ({error})",
                "a newer version of this tool wrote it, or somebody else did: look with `git show`",
            ) from error
        if not all(re.fullmatch("[0-9a-f]{40}", name) for name in (record.release.base, record.state.commit)):
            raise Unreadable(f"the record {ref_of(line)} at {tip[:10]} names no commit", "look at it with `git show`")
        return self._keep(record)


def _with(evidence: Mapping[str, Proof], now: Record) -> tuple[Record, str]:
    """The record with more evidence, and what its commit says."""

    return msgspec.structs.replace(
        now, evidence={**now.evidence, **evidence}
    ), f"evidence {now.release.tag}: {', '.join(sorted(evidence))}"


def _stands(now: Record | None, record: Record) -> None:
    """A record is written to only while its release is the line's, and was not given up."""
    if now is None or not now.of(record.release):
        raise Refused(
            f"line {record.line} belongs to another release by now",
            "run the same command again: it takes up the one that has begun",
        )
    if now.state.outcome == "abandoned":
        raise Refused(
            f"{now.release.tag} was given up by {now.state.by.name}: {now.state.why}",
            "run the same command again: it takes the next number",
        )


def _document(value: object) -> str:
    """JSON that people read, too."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n"
