"""The records of channels: chains of commits under `refs/sluice/channels/`, moved only by push with lease.

A record's tree holds `channel.json`; `git show` reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from threading import Lock

import msgspec

from release.adapters.decoding import decoded
from release.adapters.git.ledger import Unreadable
from release.adapters.git.remote import GitRemote
from release.core.channel_record import ChannelRecord, ChannelState, Entry, ref_of_channel
from release.core.commits import plain
from release.core.model import Commit, Person
from release.errors import Refused, Uncertain, Unseen

Change = Callable[[ChannelState], tuple[ChannelState, str]]
FILE = "channel.json"
TRIES = 20
LARGEST = 8 << 20
"""Bytes of a state that is read; one of ours has a few hundred thousand at most."""
AT_ONCE = 50
"""So many states of a history are read together."""


class GitChannelLedger:
    """Reads and writes the records of channels. `who` writes, `now` gives ISO 8601 UTC."""

    def __init__(self, remote: GitRemote, who: Person, now: Callable[[], str]) -> None:
        self._remote, self._who, self._now = remote, who, now
        self._latest: dict[str, ChannelRecord] = {}
        self._written = 0
        self._writing = Lock()

    def read(self, name: str) -> ChannelRecord:
        """A channel's record, fresh from the remote; an empty one where there is none yet."""
        written = self._written
        tip = self._remote.at(ref_of_channel(name))
        known = self._latest.get(name)
        if known is not None and known.tip == tip:
            return known
        record = ChannelRecord(name, tip, self._at(name, tip)) if tip else ChannelRecord(name)
        if written == self._written:  # else what was written while we looked is newer
            self._latest[name] = record
        return record

    def latest(self, name: str) -> ChannelRecord:
        """The newest that this process has seen or written; asks only where it has seen none."""
        return self._latest.get(name) or self.read(name)

    def change(self, name: str, change: Change) -> ChannelRecord:
        """Compare and swap: `change` is asked again about the newer state where somebody else was faster."""
        with self._writing:
            now = self.read(name)
            for _ in range(TRIES):
                state, message = change(now.state)
                if state == now.state:
                    return now
                try:
                    return self._write(now, state, message)
                except Refused:
                    tried, now = now, self.read(name)
                    if now.tip == tried.tip:
                        raise
        raise Refused(f"the record of channel {name} is written to without end", "run the same command again")

    def history(self, name: str) -> Iterator[Entry]:
        """Every state that a channel's record had, newest first; so many at once are held as are read together."""
        ref = ref_of_channel(name)
        if not (tip := self._remote.at(ref)):
            return
        self._remote.bring([ref], [tip])
        chain = self._chain(tip)
        while some := list(islice(chain, AT_ONCE)):
            texts = self._remote.versions([commit.id for commit in some], FILE, LARGEST)
            for commit, text in zip(some, texts, strict=True):
                yield Entry(_state(name, commit.id, text), commit.author, commit.date, commit.message.strip())

    def _chain(self, tip: str) -> Iterator[Commit]:
        """The commits that lead back from the tip; what somebody merged into them is not of the chain."""
        wanted = tip
        for commit in self._remote.commits(tip, ()):
            if commit.id == wanted:
                yield commit
                wanted = commit.parents[0] if commit.parents else ""
        if wanted:
            raise Unseen(f"{wanted[:10]} of {self._remote.name} is not here", "run the same command again")

    def _write(self, over: ChannelRecord, state: ChannelState, message: str) -> ChannelRecord:
        ref = ref_of_channel(over.name)
        text = msgspec.json.format(msgspec.json.encode(state), indent=1).decode() + "\n"
        parents = [over.tip] if over.tip else []
        told = plain(f"{over.name}: {message}")
        commit = self._remote.write(parents, {FILE: ("100644", text)}, told, self._who, self._now(), fresh=True)
        try:
            self._remote.push((ref, over.tip, commit))
        except Uncertain:
            if not self._arrived(ref, commit):
                raise
        record = ChannelRecord(over.name, commit, state)
        self._written += 1
        self._latest[over.name] = record
        return record

    def _arrived(self, ref: str, commit: str) -> bool:
        """Whether a push whose answer was lost is seen to have been done; where nothing can be seen, nothing is known."""
        with suppress(Unseen):
            return self._remote.at(ref) == commit
        return False

    def _at(self, name: str, tip: str) -> ChannelState:
        self._remote.bring([ref_of_channel(name)], [tip])
        (text,) = self._remote.versions([tip], FILE, LARGEST)
        return _state(name, tip, text)


def _state(name: str, commit: str, text: bytes | None) -> ChannelState:
    try:
        return decoded(text or b"", ChannelState)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(
            f"the record {ref_of_channel(name)} at {commit[:10]} cannot be read ({plain(str(error))})",
            "a newer version of this tool wrote it, or somebody else did: look with `git show`",
        ) from error
