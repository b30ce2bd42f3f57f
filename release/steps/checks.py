"""A gate of kind `checks`: what the forge says of the base commit, without our own run."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from release.core.finding import Done, Failed, Finding, Underway
from release.core.forge import PACE, Check
from release.core.model import GateWish, Release
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Forge

SHOWN = 5


@dataclass(frozen=True, eq=False)
class ChecksGate(Step[str]):
    """Its value is the commit whose checks are green. `own_run` is the workflow run that this process is part of, 0 for none.

    Each glob has to match something, and all that it matches has to be green; without globs, all there is, and
    something has to be. Nothing that is green is not green: a check that never came is waited for. The forge is asked,
    not the record: whoever may write to that may not thereby make a check green.
    """

    release: Release
    wish: GateWish
    own_run: int
    forge: Forge

    means = True
    pace = PACE

    @property
    def deadline(self) -> float:
        return self.wish.deadline

    def inspect(self, known: Known) -> Finding[str]:
        base = self.release.base
        found = [check for check in self.forge.checks(base) if not self.own_run or check.run != self.own_run]
        return judged(found, self.wish.match, base)

    def apply(self, known: Known, say: Say) -> None:
        """Nothing of ours makes a check green: what was found stays so."""
        found = self.inspect(known)
        if isinstance(found, Failed):
            raise Refused(found.why, found.remedy)


def judged(found: list[Check], globs: tuple[str, ...], commit: str) -> Finding[str]:
    """Whether checks let a release begin."""
    chosen = [check for check in found if not globs or any(fnmatchcase(check.name, glob) for glob in globs)]
    if red := [check for check in chosen if check.state == "red"]:
        remedy = "mend what they tell, or run them again; then run the same command again"
        return Failed(f"not green at {commit[:10]}: {named(red)}", remedy)
    if pending := [check for check in chosen if check.state == "pending"]:
        return Underway(f"waits for {named(pending)} at {commit[:10]}")
    unmatched = [glob for glob in globs if not any(fnmatchcase(check.name, glob) for check in chosen)]
    if unmatched or not chosen:
        what = f"no check matches {', '.join(unmatched)}" if unmatched else "there is no check"
        return Underway(f"{what} at {commit[:10]} yet, and none is not green")
    return Done(commit, f"{len(chosen)} checks green at {commit[:10]}")


def named(checks: list[Check]) -> str:
    """Some checks by name, with what they say."""
    shown = ", ".join(f"{check.name} ({check.detail})" if check.detail else check.name for check in checks[:SHOWN])
    return f"{shown} and {len(checks) - SHOWN} more" if len(checks) > SHOWN else shown
