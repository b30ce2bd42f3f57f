"""Archives of files of the release commit and of other builds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from release.adapters.git.run import Runner
from release.adapters.makers.bench import Bench
from release.adapters.makers.packing import Member, tarball, zipped
from release.core.commits import plain
from release.core.model import ArtifactWish
from release.core.paths import matches
from release.errors import Refused

FILE, PROGRAM = "100644", "100755"  # git's modes
SHOWN = 5
_LINE = re.compile(r"([0-7]{6}) [0-9a-f]+ [0-3]\t(.*)", re.DOTALL)


def make(wish: ArtifactWish, bench: Bench) -> dict[str, Path]:
    """Pack what `include` names of the commit and the files of other builds, below `folder`.

    Refused where a pattern names nothing or a link, or two files would have one name.
    """
    (name,) = wish.makes
    members = [
        *(Member(path, bench.tree / path, mode == PROGRAM) for path, mode in chosen(wish.include, bench.tree)),
        *(Member(file, place, _is_program(place)) for file, place in sorted(bench.inputs.items())),
    ]
    twice = [path for path, times in Counter(member.name for member in members).items() if times > 1]
    if twice:
        why = f"{wish.name} would hold two files named {plain(twice[0], 100)}"
        raise Refused(why, "leave one out of [[artifact]] include or artifacts")
    inside = [
        Member(f"{wish.folder}/{one.name}" if wish.folder else one.name, one.place, one.program) for one in members
    ]
    pack = zipped if name.endswith(".zip") else tarball
    pack(inside, bench.output / name, bench.epoch, bench.going)
    return {name: bench.output / name}


def chosen(include: Sequence[str], tree: Path) -> list[tuple[str, str]]:
    """The files of a clone's commit, with git's modes, that these paths and globs name; a folder is all that is below it."""
    listed = list(_listed(tree)) if include else []
    found = {pattern: [one for one in listed if names(pattern, one[0])] for pattern in include}
    if empty := [pattern for pattern, some in found.items() if not some]:
        why = f"[[artifact]] include names what the release commit has not: {', '.join(empty)}"
        raise Refused(why, "mend it, or commit the files")
    files = dict(one for some in found.values() for one in some)
    if odd := [plain(path, 100) for path, mode in files.items() if mode not in (FILE, PROGRAM) or not _is_utf8(path)]:
        more = f" and {len(odd) - SHOWN} more" if len(odd) > SHOWN else ""
        why = f"[[artifact]] include names what is no plain file: {', '.join(odd[:SHOWN])}{more}"
        raise Refused(why, "links, submodules and names that are not UTF-8 do not go into an archive: name other paths")
    return sorted(files.items())


def names(pattern: str, path: str) -> bool:
    """Whether a path, a folder or a glob of the configuration names a file."""
    return pattern == path or path.startswith(f"{pattern}/") or matches((pattern,), path)


def _listed(tree: Path) -> Iterator[tuple[str, str]]:
    """Path and mode of all that is in the commit; what has been checked out is nothing else."""
    out = Runner(tree / ".git", tree)("ls-files", "--stage", "-z").decode("utf-8", "surrogateescape")
    for line in out.split("\0")[:-1]:
        seen = _LINE.fullmatch(line)
        assert seen is not None, "git-ls-files(1) says so"
        yield seen[2], seen[1]


def _is_utf8(path: str) -> bool:
    return path.isascii() or not any("\udc80" <= character <= "\udcff" for character in path)


def _is_program(place: Path) -> bool:
    return bool(place.stat().st_mode & 0o100)
