"""The past of one file on a remote's branch: which commits on the first parents' path changed it, and to what.

It has a store of its own, beside the one that holds what is tagged and pushed: commits and trees come with one fetch,
and of all the files of the repository only the versions of this one. A path is a path: what the file was before it got
that name, nobody read there.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from release.adapters.git.alone import alone
from release.adapters.git.run import Runner, text
from release.adapters.git.trees import PLAIN
from release.core.file_change import FileChange
from release.core.model import Person
from release.core.moments import instant
from release.core.references import LONGEST_FILE
from release.errors import Unseen

REMOTE = "sluice-files"  # no name that anybody has in his settings
FETCHED = 500  # versions of a file that are fetched together
AT_ONCE = 1 << 24  # bytes of files that are held in memory together
FORMAT = "%H%x00%an%x00%ae%x00%cI"
TOUCHED = (
    f"--format={FORMAT}",
    "--encoding=UTF-8",
    "--first-parent",
    "--diff-merges=first-parent",
    "--raw",
    "--no-abbrev",
    "--no-renames",
)
SETTINGS = (("log.showRoot", "true"), ("log.follow", "false"))


def file_history(run: Runner, url: str, branch: str, path: str, since: str = "") -> Iterator[FileChange]:
    """Each change of a file, newest first, as somebody asks for it; `run` is git in the store, `url` the remote.

    With `since` (ISO 8601) the last one is the first that is older, for that is what the file said then. Unseen where the
    branch cannot be brought here as a whole; Failure where git says why.
    """
    tip = _brought(run, url, branch)
    first = instant(since)
    with closing(_touches(run, tip, path)) as touches:
        while some := list(islice(touches, FETCHED)):
            for change in _read(run, url, some):
                yield change
                when = instant(change.when)
                if first is not None and when is not None and when < first:
                    return


class _Touch(NamedTuple):
    """A commit that changed a file: its author, its committer date, and from there on git's mode and the id of the content."""

    commit: str
    name: str
    email: str
    when: str
    mode: bytes
    blob: str


def _touches(run: Runner, tip: str, path: str) -> Generator[_Touch]:
    """The commits that changed a file; nobody's content is looked at. A merge is what it brought to its first parent.

    After the four fields of a commit comes a pair for each path that it changed at or under this one: how, and the path.
    """
    head: list[str] = []
    raw = b""
    asked = ("log", "-z", *TOUCHED, "--end-of-options", tip, "--", path)
    with closing(run.stream(*asked, settings=SETTINGS)) as parts:
        for part in parts:
            if raw:
                if part == path.encode():
                    _, mode, _, blob, _ = raw.split(b" ")
                    yield _Touch(head[0], head[1], head[2], head[3], mode, text(blob))
                raw = b""
            elif len(head) == 4 and part.lstrip(b"\n").startswith(b":"):
                raw = part
            else:
                head = [*head, text(part)] if len(head) < 4 else [text(part)]


def _brought(run: Runner, url: str, branch: str) -> str:
    """The commit at the head of the branch; it and all before it are here, without files where the server can do that."""
    ref = f"refs/history/{sha256(branch.encode()).hexdigest()[:16]}"
    with alone(run.folder):
        _fetch(run, url, f"+refs/heads/{branch}:{ref}")
        return text(run("rev-parse", "--verify", "--end-of-options", ref)).strip()


def _fetch(run: Runner, url: str, *wanted: str) -> None:
    """It is configured by the environment, so that nothing is written down."""
    settings = (
        (f"remote.{REMOTE}.url", url),
        (f"remote.{REMOTE}.promisor", "true"),
        (f"remote.{REMOTE}.partialclonefilter", "blob:none"),
    )
    asked = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", "--stdin", "--", REMOTE)
    for _ in run.blocks(*asked, stdin="".join(f"{name}\n" for name in wanted).encode(), settings=settings):
        pass


def _read(run: Runner, url: str, touches: Sequence[_Touch]) -> Iterator[FileChange]:
    """Changes with what they changed the file to; a version that is there several times is read once for each portion."""
    plain = [touch for touch in touches if touch.mode in PLAIN]
    sizes = _sizes(run, url, list(dict.fromkeys(touch.blob for touch in plain)))
    fit = {blob: size for blob, size in sizes.items() if size <= LONGEST_FILE}
    ours = {touch.commit: touch.blob for touch in plain if touch.blob in fit}
    for some in _portions(touches, ours, fit):
        contents = _contents(
            run, {ours[touch.commit]: fit[ours[touch.commit]] for touch in some if touch.commit in ours}
        )
        for touch in some:
            content = contents[ours[touch.commit]] if touch.commit in ours else None
            yield FileChange(touch.commit, Person(touch.name, touch.email), touch.when, content)


def _sizes(run: Runner, url: str, blobs: Sequence[str]) -> dict[str, int]:
    """The bytes of each; all of them are here afterwards."""
    sizes = _here(run, blobs)
    if missing := [blob for blob in blobs if blob not in sizes]:
        with alone(run.folder):
            _fetch(run, url, *missing)
        sizes |= _here(run, missing)
    if absent := [blob for blob in blobs if blob not in sizes]:
        raise Unseen(f"{absent[0][:10]}, which a file was once, is not here", "run the same command again")
    return sizes


def _here(run: Runner, blobs: Collection[str]) -> dict[str, int]:
    if not blobs:
        return {}
    asked = "".join(f"{blob}\n" for blob in blobs).encode()
    lines = text(run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked)).split("\n")[:-1]
    told = (line.split(" ") for line in lines)
    return {name: int(size) for name, size in told if size != "missing"}


def _portions(touches: Sequence[_Touch], ours: dict[str, str], sizes: dict[str, int]) -> Iterator[list[_Touch]]:
    """Changes whose files are held together."""
    some: list[_Touch] = []
    held = 0
    for touch in touches:
        size = sizes[ours[touch.commit]] if touch.commit in ours else 0
        if some and held + size > AT_ONCE:
            yield some
            some, held = [], 0
        some.append(touch)
        held += size
    if some:
        yield some


def _contents(run: Runner, sizes: dict[str, int]) -> dict[str, bytes]:
    """The bytes of files, by one process."""
    if not sizes:
        return {}
    read = memoryview(run("cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in sizes).encode()))
    found: dict[str, bytes] = {}
    for blob, size in sizes.items():
        start = len(f"{blob} blob {size}\n")
        found[blob] = bytes(read[start : start + size])
        read = read[start + size + 1 :]
    return found
