"""Somebody who only looks, and knows the rules of channels by heart: no word of the product's own judgement is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.laws.harness.channel_stage import CAPTAIN, HAND, ILL, NAMES, WELL, Told

SOAK = timedelta(hours=24)
PATCH = 1
"""The first release of a minor that stable takes."""
Key = tuple[int, int, int, bool, int]


def key(text: str) -> Key | None:
    """The order of versions, None for what is none."""
    found = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)(?:-rc(\d+))?", text)
    if found is None:
        return None
    major, minor, patch, candidate = found.groups()
    return int(major), int(minor), int(patch), candidate is None, int(candidate or 0)


@dataclass(frozen=True)
class Act:
    """What somebody does: `what` is promote, auto, rollback, resume or something else, `downgrade` that going back was allowed."""

    what: str
    channel: str = ""
    version: str = ""
    downgrade: bool = False
    waived: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """The file says something else of a channel."""

    commit: str
    channel: str
    old: str
    new: str
    when: datetime
    ours: bool


@dataclass
class Witness:
    """`states` and `moves` are what the records say, `file` and `images` what users follow."""

    told: Told
    released: dict[str, datetime] = field(default_factory=dict)
    withdrawn: dict[str, datetime] = field(default_factory=dict)
    health: dict[str, int] = field(default_factory=dict)
    tips: dict[str, str] = field(default_factory=dict)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    moves: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    arrived: dict[str, dict[str, datetime]] = field(default_factory=dict)
    file: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    once: set[tuple[str, int, bool]] = field(default_factory=set)
    holds: dict[str, list[tuple[str, str | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in NAMES:
            self.states[name], self.moves[name], self.arrived[name], self.holds[name] = {}, {}, {}, []
        self.tips["site"] = self.told.tip("site", "main")
        self.file, self.images = self._said(self.tips["site"]), self.told.images()
        ((commit, _, when),) = self.told.commits("site", f"{self.tips['site']}^", self.tips["site"])
        self.changes = [Change(commit, name, "", text, when, False) for name, text in self.file.items()]

    # Looking

    def sees(self, act: Act) -> None:
        """All that came of what somebody did; what breaks a rule is no good."""
        begun = {name: list(self._entries(act, name)) for name in NAMES}
        self._file(act)
        self._images(act)
        for name, numbers in begun.items():
            assert len(numbers) <= 1, f"{name} was moved {len(numbers)} times by one command"
            self._agrees(act, name)

    def _entries(self, act: Act, name: str) -> Iterable[int]:
        """The new states of a channel's record, each held against the one before; the numbers of the moves that begin."""
        ref = f"refs/sluice/channels/{name}"
        old, new = self.tips.get(ref, ""), self.told.tip("upstream", ref)
        self.tips[ref] = new
        for commit, who, _ in self.told.commits("upstream", old, new) if new != old else ():
            assert who == CAPTAIN
            state = self.told.record(commit)
            yield from self._state(act, name, self.states[name], state)
            self.states[name] = state

    def _state(self, act: Act, name: str, before: dict[str, Any], after: dict[str, Any]) -> Iterable[int]:
        self._held(act, name, before, after)
        was, now = newest(before), newest(after)
        if now is None:
            return
        number = now["number"]
        self.moves[name][number] = now
        if was is None or was["number"] != number:
            assert number == (was["number"] if was else 0) + 1
            assert was is None or outcome(was) in ("finished", "returned"), (
                f"{name}: a move began while another was half done"
            )
            self._begins(act, name, before, now)
            yield number
        elif outcome(was) != outcome(now):
            self._goes_on(act, name, was, now)
        if outcome(now) == "finished":
            self.arrived[name].setdefault(now["version"], self.told.now)
            assert after["standing"][""]["version"] == now["version"]
        else:
            assert after.get("standing") == before.get("standing"), f"{name} stands elsewhere, and no move has ended"

    def _held(self, act: Act, name: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        if before.get("hold") and not after.get("hold"):
            assert (act.what, act.channel) == ("resume", name), f"{act} lifted the hold of {name}"
            self.holds[name].append(("resume", before["hold"].get("version")))
        if after.get("hold") and not before.get("hold"):
            assert (act.what, act.channel) == ("rollback", name) or self._unwell(act, name), f"{act} held {name}"
            self.holds[name].append(("hold", after["hold"].get("version")))
        for version in before.get("bad", {}).keys() - after.get("bad", {}).keys():
            assert act == Act("resume", name, f"v{version}"), f"{act} took {version} for good in {name}"

    def _unwell(self, act: Act, name: str) -> bool:
        """Whether a look at what soaks may hold the channel."""
        standing = self.states[name].get("standing", {}).get("", {}).get("tag", "")
        return act.what == "auto" and name in ("testing", "latest") and self.health.get(standing) == ILL

    def _back_by_itself(self, act: Act, name: str) -> bool:
        return name == "latest" and self.told.setup.unhealthy == "rollback" and self._unwell(act, name)

    def _begins(self, act: Act, name: str, before: dict[str, Any], move: dict[str, Any]) -> None:
        tag, version = move["tag"], key(move["tag"])
        assert version is not None
        assert tag in self.released, f"{tag} is not out"
        assert tag not in self.withdrawn, f"{name} began to move to {tag}, which is withdrawn"
        assert tag in self.told.digests, f"{name} began to move to {tag}, which has no image"
        stood = before.get("standing", {}).get("", {}).get("version", "")
        assert move.get("before", "") == (stood or move.get("before", ""))
        for one in NAMES:
            assert move["version"] not in self.states[one].get("bad", {}), f"{tag} is bad in {one}, and got into {name}"
        has = [found for text in (stood, self.file[name]) if (found := key(text)) is not None]
        if move["kind"] == "rollback":
            assert self._may_go_back(act, name), f"{act} began to move {name} back"
            assert version < max(has), f"{name} was rolled back to {tag}, which is not below"
            assert version[:2] == max(has)[:2], f"{name} was rolled back over a minor"
            assert move["version"] in self.arrived[name], f"{name} was rolled back to {tag}, which was never there"
            return
        assert act.what == "auto" or (act.what, act.channel) == ("promote", name), act
        assert not before.get("hold"), f"{name} is held, and a move to {tag} began"
        self._may_go_on(name, tag, version, [one for one in has if one != version])

    def _may_go_back(self, act: Act, name: str) -> bool:
        asked = act.what == "rollback" and act.channel == name and act.downgrade
        return asked or self._back_by_itself(act, name)

    def _may_go_on(self, name: str, tag: str, version: Key, has: list[Key]) -> None:
        """What a promotion may begin with, by the rules of the channel."""
        assert name == "testing" or version[3], f"{name} took the candidate {tag}"
        assert not has or version > max(has), f"{name} began to go back to {tag} by a promotion"
        assert not has or version[1] <= max(has)[1] + 1, f"{name} skips a minor to {tag}"
        if name == "testing":
            return
        assert self.health.get(tag, WELL) == WELL, f"{name} took {tag}, which does not do well"
        if name == "stable":
            entered = not has or version[1] != max(has)[1]
            assert not entered or version[2] >= PATCH, f"stable entered a minor with {tag}"
            assert self._soaked(tag), f"stable took {tag}, which has not soaked"
        elif self.told.setup.chained:
            assert self._was_in("testing", tag), f"latest took {tag}, which was not in testing"

    def _soaked(self, tag: str) -> bool:
        came = self.arrived["latest"].get(tag[1:])
        if came is None and self.file["latest"] == tag:
            came = self.released[tag]  # somebody wrote it there
        return came is not None and self.told.now >= came + SOAK

    def _was_in(self, name: str, tag: str) -> bool:
        return tag[1:] in self.arrived[name] or self.file[name] == tag

    def _goes_on(self, act: Act, name: str, was: dict[str, Any], now: dict[str, Any]) -> None:
        step = (outcome(was), outcome(now))
        assert step in (("begun", "finished"), ("begun", "returning"), ("returning", "returned")), f"{name}: {step}"
        if step == ("begun", "finished"):
            mine = act.what in ("promote", "rollback") and act.channel == name
            assert act.what == "auto" or mine, f"{act} finished a move of {name}"
            return
        back = act.what == "rollback" and act.channel == name
        assert back or self._back_by_itself(act, name), f"{act} took a move of {name} back"

    # What users follow

    def _said(self, commit: str) -> dict[str, str]:
        lines = self.told.file(commit).strip().split("\n")
        assert lines[0] == "# what users follow", "a comment is gone"
        found = (line.split(": ", 1) for line in lines[1:])
        return {name: value.strip('"') for name, value in found}

    def _file(self, act: Act) -> None:
        old, new = self.tips["site"], self.told.tip("site", "main")
        self.tips["site"] = new
        for commit, who, when in self.told.commits("site", old, new) if new != old else ():
            says = self._said(commit)
            changed = [name for name in NAMES if says[name] != self.file[name]]
            assert len(changed) == 1, f"{commit} of {who} changed {changed}"
            (name,) = changed
            change = Change(commit, name, self.file[name], says[name], when, who == CAPTAIN)
            if change.ours:
                self._moved(act, change.channel, change.old, change.new)
            else:
                assert who == HAND
                self.once = {one for one in self.once if one[0] != name}
            self.changes.append(change)
            self.file = says

    def _moved(self, act: Act, name: str, old: str, new: str) -> None:
        """A commit of ours in the file."""
        move = newest(self.states[name])
        assert move is not None, f"{name} was moved, and its record knows nothing of it"
        (frozen,) = (one for one in move["pointers"] if one["pointer"] == "file")
        forth = (old, new) == (frozen["old"], frozen["new"])
        returning = outcome(move) in ("returning", "returned")
        assert forth or (returning and (new, old) == (frozen["old"], frozen["new"])), f"{name} went from {old} to {new}"
        assert (name, move["number"], forth) not in self.once, f"{name} was moved to {new} twice"
        self.once.add((name, move["number"], forth))
        self._direction(act, name, old, new, move)

    def _direction(self, act: Act, name: str, old: str, new: str, move: dict[str, Any]) -> None:
        was, now = key(old), key(new)
        if was is None or now is None:
            return
        if now < was:
            assert now[:2] == was[:2], f"{name} went back over a minor, from {old} to {new}"
            assert move["kind"] == "rollback" or self._may_go_back(act, name), (
                f"{act} moved {name} back from {old} to {new}"
            )
        assert now[1] <= was[1] + 1, f"{name} skipped a minor, from {old} to {new}"
        assert name == "testing" or now[3], f"{name} was moved to the candidate {new}"
        gone = self.withdrawn.get(new)
        began = datetime.fromisoformat(move["at"]) if new == move["tag"] else self.told.now
        assert gone is None or gone > began, f"{name} was moved to {new}, which was withdrawn before that"

    def _images(self, act: Act) -> None:
        there = self.told.images()
        for name in NAMES:
            old, new = self.images[name], there[name]
            if old == new or act.what == "hand":
                continue
            move = newest(self.states[name])
            assert move is not None, f"the image of {name} was moved, and its record knows nothing of it"
            (frozen,) = (one for one in move["pointers"] if one["pointer"] == "image")
            back = outcome(move) in ("returning", "returned")
            assert self.told.digests[new] == frozen["old" if back else "new"], f"the image of {name} is {new} now"
            if move["number"] > 1 and not move.get(
                "waivers"
            ):  # else it may be from anywhere, and no digest tells a version
                self._direction(act, name, old, new, move)
        self.images = there

    def _agrees(self, act: Act, name: str) -> None:
        """What a move has just ended with, all pointers say."""
        move = newest(self.states[name])
        if act.what == "hand" or move is None or move.get("ended") != self.told.now.isoformat(timespec="seconds"):
            return
        if outcome(move) == "finished":
            assert (self.file[name], self.images[name]) == (move["tag"], move["tag"]), (
                f"{name}: half of it is elsewhere"
            )

    # Afterwards

    def half(self, name: str) -> dict[str, Any] | None:
        """The move of a channel that has begun and not ended."""
        move = newest(self.states[name])
        return move if move is not None and outcome(move) in ("begun", "returning") else None


def newest(state: dict[str, Any]) -> dict[str, Any] | None:
    """The newest move that a state of a record tells of."""
    found: dict[str, Any] | None = state.get("moves", {}).get("")
    return found


def outcome(move: dict[str, Any]) -> str:
    return str(move.get("outcome", "begun"))
