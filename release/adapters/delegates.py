"""Runs components' own releases: each in a throwaway clone of its branch, with what a person would have there."""

from __future__ import annotations

import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

from release.adapters.children import SECRET, Children
from release.adapters.git.clone import branch_of
from release.adapters.git.ledger import GitLedger
from release.adapters.git.remote import GitRemote
from release.adapters.git.run import Runner
from release.adapters.logged import logged, named
from release.core.delegated import Ended
from release.core.model import DownstreamWish, Person
from release.core.record import Record
from release.redact import Redactor

GRACE = 10.0  # seconds: it ends what it started, and takes its own clones away
WORDS = 12  # lines, as many as a few conflicts take

Reach = Callable[[str, str], tuple[str, Runner]]


def clock_of_nobody() -> str:
    """For a ledger that is only read."""
    raise AssertionError("nothing is written into a component's record by us")


class Delegates:
    """`reach` opens a component's remote, by its repository and its name. `settings` are those of the captain's clone, and become the throwaway one's.

    It is a release of its own, so that it gets all of `environment`, tokens included; `hide` learns them.
    """

    def __init__(
        self,
        reach: Reach,
        logs: Path,
        environment: Mapping[str, str],
        who: Person,
        settings: Sequence[tuple[str, str]],
        hide: Redactor,
    ) -> None:
        self._reach, self._logs, self._hide = reach, logs, hide
        self._environment, self._who = environment, who
        identity = (("user.name", who.name), ("user.email", who.email))
        self._settings = (*settings, *identity)
        self._children = Children(GRACE)
        self._turns: defaultdict[str, Lock] = defaultdict(Lock)
        self._ended: dict[tuple[str, str], Ended] = {}

    def missing(self, run: Sequence[str]) -> str:
        """The program of a command, if it is not to be found; one inside the clone cannot be known before."""
        return "" if "/" in run[0] or self._found(run[0]) else run[0]

    def release(self, wish: DownstreamWish, say: Callable[[str], None]) -> Ended:
        """Run it to its end; of one component one at a time. Refused where it cannot begin."""
        for name, value in self._environment.items():
            if SECRET.search(name):
                self._hide.learn(value)
        with self._turns[wish.repository]:
            url, run = self._reach(wish.repository, wish.name)
            with branch_of(url, wish.branch, run, self._settings) as tree:
                what = f"downstream {wish.name} {wish.tag}"
                program, *rest = wish.run
                argv = [self._found(program) or program, *rest]
                inner, kept = tree / ".release" / "logs", self._logs / named(what)

                def edit(line: bytes) -> bytes:
                    return line.replace(os.fsencode(inner), os.fsencode(kept))

                ran = logged(self._children, self._logs, what, argv, tree, self._environment, say, None, WORDS, edit)
                _keep(inner, kept)
        ended = Ended(ran.code, ran.tail, str(ran.log))
        self._ended[wish.name, wish.tag] = ended
        return ended

    def ended(self, wish: DownstreamWish) -> Ended | None:
        """How it ended when this process ran it last, None where it did not."""
        return self._ended.get((wish.name, wish.tag))

    def unfinished(self, wish: DownstreamWish) -> bool:
        """Whether the component's own record says that this release has begun, and not that all of it is out."""
        remote = GitRemote(*self._reach(wish.repository, wish.name), shallow=True)
        records = GitLedger(remote, self._who, clock_of_nobody).all(remote.refs())
        return any(isinstance(one, Record) and one.release.tag == wish.tag and one.unfinished for one in records)

    def stop(self) -> None:
        """End what still runs, with all that it started."""
        self._children.stop()

    def _found(self, program: str) -> str:
        """Where a program is: what is installed with us comes first, so that a component is released by what releases us."""
        beside = str(Path(sys.executable).parent)
        places = os.pathsep.join((beside, self._environment.get("PATH", os.defpath)))
        return "" if "/" in program else shutil.which(program, path=places) or ""


def _keep(logs: Path, place: Path) -> None:
    """Take the logs out of a clone that goes, in place of those of the last time."""
    with suppress(OSError):
        if logs.is_dir() and not logs.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
            shutil.move(logs, place)
