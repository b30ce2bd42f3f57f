"""A throwaway clone of one commit: what is built and tested comes from there, never from somebody's checkout."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from release.adapters.git.run import Failure, Runner, complaint
from release.errors import Refused


@contextmanager
def clone(objects: Path, commit: str, tag: str = "") -> Iterator[Path]:
    """The folder of a clone of `commit`, gone afterwards; it shares the store `objects` and knows no remote.

    `tag` is there for `git describe`. Refused where git cannot make it.
    """
    with tempfile.TemporaryDirectory(prefix="sluice-clone-", ignore_cleanup_errors=True) as folder:
        tree = Path(folder).resolve() / "tree"
        try:
            Runner(objects)(
                "clone", "--quiet", "--shared", "--no-checkout", "--template=", "--", str(objects), str(tree)
            )
            git = Runner(tree / ".git", tree)
            git("remote", "remove", "origin")
            if tag:
                body = f"object {commit}\ntype commit\ntag {tag}\ntagger - <-> 0 +0000\n\n{tag}\n"
                annotated = git("mktag", stdin=body.encode()).decode().strip()
                git("update-ref", "--no-deref", f"refs/tags/{tag}", annotated)
            git("-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit, "--")
        except Failure as failure:
            raise Refused(f"no clone of {commit[:10]} could be made: {complaint(failure.err)}", "") from failure
        yield tree
