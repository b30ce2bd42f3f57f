"""Claims and proofs of the components that a move of a channel releases: they are in the channel's record, with the move."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

import msgspec

from release.core.channel_record import ChannelRecord, ChannelState, Move
from release.core.model import Release
from release.core.moves import with_move
from release.core.record import Proof, Record, State
from release.errors import Refused
from release.ports import ChannelLedger


class ChannelClaims:
    """What the newest move of one line of a channel says of the components that it releases, as the record of its release."""

    def __init__(self, ledger: ChannelLedger, channel: str, line: str) -> None:
        self._ledger, self._channel, self._line = ledger, channel, line
        self._waiting: dict[str, dict[str, Proof]] = {}
        self._queue, self._writing = Lock(), Lock()

    def fresh(self, release: Release) -> Record | None:
        """What is claimed and proved in the release's move, fresh; None where it has not begun."""
        return self._record(self._ledger.read(self._channel), release)

    def latest(self, release: Release) -> Record | None:
        """The same, as this process has seen or written it last."""
        return self._record(self._ledger.latest(self._channel), release)

    def claim(self, record: Record, name: str, proof: Proof, over: Proof | None = None) -> bool:
        """Write a proof only where `over` is what the move says under that name now; false if somebody came first."""

        def claimed(state: ChannelState) -> tuple[ChannelState, str]:
            move = self._move(state, record.release)
            if move.proofs.get(name) != over:
                return state, ""
            return _with(state, move, {name: proof})

        now = self._ledger.change(self._channel, claimed)
        return self._move(now.state, record.release).proofs.get(name) == proof

    def note(self, record: Record, evidence: Mapping[str, Proof]) -> None:
        """Add proofs; what several threads bring at the same time goes out in one push."""
        tag, mine = record.release.tag, dict(evidence)
        with self._queue:
            self._waiting.setdefault(tag, {}).update(mine)
        with self._writing:
            with self._queue:
                batch = self._waiting.pop(tag, {})
            proofs = {**batch, **mine}  # whoever took ours along may have failed
            self._ledger.change(self._channel, lambda state: _with(state, self._move(state, record.release), proofs))

    def _move(self, state: ChannelState, release: Release) -> Move:
        move = state.moves.get(self._line)
        if move is None or not _of(move, release):
            what = f"is at {move.tag} by now" if move is not None else "has not begun to move"
            raise Refused(f"{self._channel} {what}, not at {release.tag}", "run the same command again")
        return move

    def _record(self, channel: ChannelRecord, release: Release) -> Record | None:
        move = channel.state.moves.get(self._line)
        if move is None or not _of(move, release):
            return None
        return Record(release.line, channel.tip, release, State("begun", move.commit, move.by, move.at), move.proofs)


def _of(move: Move, release: Release) -> bool:
    """Whether a move is to that release, and not taken back."""
    return move.version == release.version and move.outcome in ("begun", "finished")


def _with(state: ChannelState, move: Move, proofs: Mapping[str, Proof]) -> tuple[ChannelState, str]:
    """The state with more proofs in a move, and what its commit says."""
    more = msgspec.structs.replace(move, proofs={**move.proofs, **proofs})
    return with_move(state, more), f"proofs of {move.tag}: {', '.join(sorted(proofs))}"
