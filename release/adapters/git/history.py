"""The history of a remote's branch, commits alone, kept here; and which commits are not in it.

It has a store of its own, beside the one that holds what is tagged and pushed: a history without trees is good for
nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import msgspec

from release.adapters.git import log
from release.adapters.git.alone import alone
from release.adapters.git.run import Runner

REMOTE = "sluice-history"  # no name that anybody has in his settings


class Judged(msgspec.Struct, frozen=True):
    """What was seen of a branch at `tip`: commits in its history, and some that are not in it."""

    tip: str = ""
    inside: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()


class History:
    """`run` is git in the store, `url` the remote."""

    def __init__(self, run: Runner, url: str) -> None:
        self._run, self._url = run, url

    def outside(self, branch: str, tip: str, commits: Collection[str]) -> frozenset[str]:
        """Those of these commits that are not in the history of a branch, known to be at `tip`.

        One fetch and one walk for all of them, and none for those that were judged before. What was in the history stays in
        it: that the branch was written anew is seen only when there is something new to look for.
        """
        wanted, memo = frozenset(commits) - {tip}, self._recalled(branch)
        known = memo.inside | (memo.outside if memo.tip == tip else frozenset())
        if wanted - known:
            memo = self._judged(branch, wanted | memo.inside)
            self._remember(branch, memo)
        return wanted & memo.outside

    def _judged(self, branch: str, commits: Collection[str]) -> Judged:
        ref = f"refs/history/{_key(branch)}"
        self._fetch(f"+refs/heads/{branch}:{ref}")
        left, tip = set(commits), ""
        with closing(log.parents(self._run, [ref])) as rows:
            for row in rows:
                tip = tip or row[0]  # of one history the tip comes first
                left.discard(row[0])
                if not left:
                    break
        return Judged(tip, frozenset(commits) - left, frozenset(left))

    def _fetch(self, refspec: str) -> None:
        """Commits without trees, where the server can do that; it is configured by the environment, so that nothing is written down."""
        settings = (
            (f"remote.{REMOTE}.url", self._url),
            (f"remote.{REMOTE}.promisor", "true"),
            (f"remote.{REMOTE}.partialclonefilter", "tree:0"),
        )
        asked = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=tree:0", "--", REMOTE, refspec)
        with alone(self._run.folder):
            for _ in self._run.blocks(*asked, settings=settings):
                pass

    def _recalled(self, branch: str) -> Judged:
        try:
            return msgspec.json.decode(self._memo(branch).read_bytes(), type=Judged)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return Judged()

    def _remember(self, branch: str, judged: Judged) -> None:
        """All or nothing; that nothing could be kept costs the next one a fetch."""
        target = self._memo(branch)
        whole = target.with_name(f"{target.name}.{uuid4().hex}")
        with suppress(OSError):
            whole.write_bytes(msgspec.json.encode(judged))
            os.replace(whole, target)

    def _memo(self, branch: str) -> Path:
        return self._run.folder / f"judged-{_key(branch)}.json"


def _key(branch: str) -> str:
    """A branch's name as a part of any path."""
    return sha256(branch.encode()).hexdigest()[:16]
