"""How a move changes a channel's record: from its beginning to its end, or back. Pure: a state in, a state out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from release.core.channel_record import ARRIVALS, ChannelState, Mark, Move, Moved, MoveOutcome, Standing
from release.core.commits import plain
from release.core.finding import Conflict
from release.core.model import Person, Waiver
from release.core.promotion import Promotion
from release.core.record import Proof

DIGEST = "sha256:"
SHOWN = 120
"""So much of what a pointer says is told."""


def move_of(state: ChannelState, promotion: Promotion) -> Move | None:
    """The newest move of the promotion's line, where it is this promotion's: begun, or finished and still what stands."""
    move = state.moves.get(promotion.line)
    if move is None or (move.kind, move.version, move.commit) != (promotion.kind, promotion.version, promotion.commit):
        return None
    standing = state.standing.get(promotion.line)
    stands = move.outcome == "finished" and standing is not None and standing.version == move.version
    return move if stands or move.outcome == "begun" else None


def hindrance(state: ChannelState, promotion: Promotion) -> Conflict | None:
    """What is in a channel's record by now that keeps a move from beginning."""
    channel, move = promotion.channel, state.moves.get(promotion.line)
    if move is not None and move.unfinished:
        return moving(channel, move)
    if state.hold is not None and promotion.kind != "rollback":
        why = f"{channel} is held by {plain(state.hold.by.name)}: {plain(state.hold.why)}"
        return Conflict("channel-held", why, f"when that is over: invoke channel.resume {channel}")
    standing = state.standing.get(promotion.line)
    if standing is not None and standing.version != promotion.before:
        return changed(channel, f"has {plain(standing.tag)} since {plain(standing.at)}")
    return None


def moving(channel: str, move: Move) -> Conflict:
    """A move has begun that is another one's, or that is taken back."""
    tag, who = plain(move.tag), plain(move.by.name)
    line = f" --line {plain(move.line)}" if move.line else ""
    back = f"invoke channel.rollback {channel}{line} --reason WHY"
    if move.outcome == "returning":
        why = f"the move of {channel} to {tag} by {who} is being taken back"
        return Conflict("channel-moving", why, f"see that through: {back}")
    why = f"{who} began to move {channel} to {tag} at {plain(move.at)}, and it is not finished"
    on = f"invoke channel.promote --to {channel} --version {tag}"
    if move.kind == "rollback":
        on = f"{back} --to {tag} --allow-downgrade"
    return Conflict("channel-moving", why, f"finish it: {on}; or take it back: {back}")


def changed(channel: str, what: str) -> Conflict:
    """The record says something else than what was decided on."""
    return Conflict("channel-changed", f"somebody moved {channel} meanwhile: it {what}", "run the same command again")


def left_there(move: Move | None, pointer: str) -> tuple[str, ...]:
    """What a line's newest move left a pointer at, () where it had nothing to do with it: then it may say anything."""
    moved = None if move is None else moved_of(move, pointer)
    if move is None or moved is None:
        return ()
    if move.outcome != "returned":
        return (moved.new,)
    return (moved.old,) if moved.old else ("", moved.new)


def moved_of(move: Move, pointer: str) -> Moved | None:
    """What a move has frozen of a pointer."""
    return next((one for one in move.pointers if one.pointer == pointer), None)


def foreign(pointer: str, found: str, known: Collection[str]) -> Conflict:
    """A pointer says what neither this move nor the one before it let it say."""
    expected = " nor ".join(said(text) for text in dict.fromkeys(known))
    why = f"{pointer} says {said(found)}, neither {expected}: somebody else moved it"
    remedy = "find out who, and put it back; or go over it: --waive pointer-moved --reason WHY"
    return Conflict("pointer-moved", why, remedy)


def said(text: str) -> str:
    """What a pointer says, in words; of a digest as much as tells it from others."""
    if text.startswith(DIGEST):
        text = text[: len(DIGEST) + 12]
    return plain(text, SHOWN) or "nothing"


def waived(promotion: Promotion, rule: str) -> bool:
    """Whether a person set a rule aside for this move."""
    return any(waiver.rule == rule for waiver in promotion.waivers)


def begun(
    state: ChannelState,
    promotion: Promotion,
    pointers: Sequence[Moved],
    seen: Mapping[str, str],
    by: Person,
    at: str,
) -> ChannelState:
    """The state once a move has begun. `seen` is what proved that it may be, in words."""
    move = Move(
        number=state.number + 1,
        kind=promotion.kind,
        line=promotion.line,
        version=promotion.version,
        tag=promotion.tag,
        commit=promotion.commit,
        before=promotion.before,
        by=by,
        at=at,
        pointers=tuple(pointers),
        instances={wish.name: wish.tag for wish in promotion.instances},
        waivers=promotion.waivers,
        seen=seen,
        why=promotion.why,
    )
    counted = (promotion.releases, at) if _believed(state, promotion) else (state.releases, state.counted)
    return msgspec.structs.replace(with_move(state, move), number=move.number, releases=counted[0], counted=counted[1])


def _believed(state: ChannelState, promotion: Promotion) -> bool:
    """Whether as many releases were seen as before; a person may say that there are fewer now."""
    return promotion.releases >= state.releases or waived(promotion, "shrunken-list")


def taken_in(
    state: ChannelState, move: Move, pointers: Sequence[Moved], waivers: Sequence[Waiver] = ()
) -> ChannelState:
    """The state once a move has more pointers, or goes on from other values of them, and rules were set aside for that."""
    new = {one.pointer: one for one in pointers}
    kept = tuple(new.pop(one.pointer, one) for one in move.pointers)
    aside = tuple(dict.fromkeys((*move.waivers, *waivers)))
    return with_move(state, msgspec.structs.replace(move, pointers=(*kept, *new.values()), waivers=aside))


def finished(state: ChannelState, move: Move, proofs: Mapping[str, Proof], by: Person, at: str) -> ChannelState:
    """The state once all that a move is about is so. The first arrival of a version is kept; what a rollback left is marked."""
    standing = Standing(move.version, move.tag, at, move.before)
    arrivals = {**state.arrivals, move.version: state.arrivals.get(move.version, at)}
    bad = dict(state.bad)
    if move.kind == "rollback" and move.before and move.before != move.version:
        bad.setdefault(move.before, Mark(move.why or f"rolled back to {move.tag}", by, at))
    asked = tuple(one for one in state.approvals if one.version == move.version or one.version not in arrivals)
    return msgspec.structs.replace(
        with_move(state, msgspec.structs.replace(move, outcome="finished", ended=at, proofs={**move.proofs, **proofs})),
        standing={**state.standing, move.line: standing},
        arrivals=dict([*arrivals.items()][-ARRIVALS:]),
        bad=bad,
        approvals=asked,
    )


def ended(state: ChannelState, move: Move, outcome: MoveOutcome, at: str = "", why: str = "") -> ChannelState:
    """The state once a move is taken back, or has begun to be; what stood before it stands on."""
    return with_move(state, msgspec.structs.replace(move, outcome=outcome, ended=at, why=why or move.why))


def with_move(state: ChannelState, move: Move) -> ChannelState:
    """The state with this as the newest move of its line."""
    return msgspec.structs.replace(state, moves={**state.moves, move.line: move})
