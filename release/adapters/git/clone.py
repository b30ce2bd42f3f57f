"""Throwaway clones: what is built, tested and released comes from there, never from somebody's checkout."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from release.adapters.git.run import Failure, Runner, complaint
from release.core.address import without_secret
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


@contextmanager
def branch_of(url: str, branch: str, run: Runner, settings: Sequence[tuple[str, str]]) -> Iterator[Path]:
    """The folder of a clone of a remote's branch, with all of its history, gone afterwards; `origin` is that remote.

    `run` opens it, and `settings` become the clone's own. Refused where git cannot make it.
    """
    with tempfile.TemporaryDirectory(prefix="sluice-clone-", ignore_cleanup_errors=True) as folder:
        tree = Path(folder).resolve() / "tree"
        try:
            run("clone", "--quiet", "--template=", "--single-branch", "--branch", branch, "--", url, str(tree))
        except Failure as failure:
            why = f"no clone of {branch} of {without_secret(url)} could be made: {complaint(failure.err)}"
            raise Refused(why, "check the branch, the network and your rights there") from failure
        with (tree / ".git" / "config").open("a", encoding="utf-8", errors="surrogateescape") as config:
            config.writelines(setting(key, value) for key, value in settings)  # no argument: it may hold a secret
        yield tree


def setting(key: str, value: str) -> str:
    """A setting as git's own files have it."""
    section, _, rest = key.partition(".")
    inner, _, name = rest.rpartition(".")
    head = f'[{section} "{_escaped(inner)}"]' if inner else f"[{section}]"
    return f'{head}\n\t{name} = "{_escaped(value)}"\n'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
