"""What may be written for a path, a pattern, a command, a template in a configuration, and how what was written is quoted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from release.core.assembly import Selective
from release.core.finding import Conflict
from release.core.version import names_in, render

LONGEST_PATTERN = 500
VALUES = ("version", "tag", "core", "major", "minor", "patch", "line", "revision", "image_tag")
"""What templates may say of a release."""
OF_A_PLATFORM = ("platform", "os", "arch")
"""And of a platform."""
_REF = re.compile(r"[A-Za-z0-9._/+@-]*")


def bad_path(place: str, path: str) -> Iterator[Conflict]:
    """A file of the repository: relative, inside it, spelt in one way, and not git's own."""
    parts = path.split("/")
    strange = not path.isprintable() or "\\" in path or re.match(r"[A-Za-z]:|~|-", path)
    if strange or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        why = f"{place} is {quoted(path)}"
        yield Conflict("bad-path", why, "write a path inside the repository, relative to its root, as in docs/a.txt")


def bad_pattern(place: str, pattern: str) -> Iterator[Conflict]:
    """A regular expression with a group `value`, of a length that can be read."""
    if len(pattern) > LONGEST_PATTERN:
        why = f"{place} has {len(pattern)} characters"
        yield Conflict("pattern-too-long", why, f"match no more than is needed, in {LONGEST_PATTERN} at most")
        return
    try:
        groups = re.compile(pattern).groupindex
    except (re.error, RecursionError, OverflowError) as error:
        yield Conflict("bad-pattern", f"{place} is not a regular expression: {error}", "mend it")
        return
    if "value" not in groups:
        remedy = "put (?P<value>...) around what is to agree with the version"
        yield Conflict("pattern-without-value", f"{place} has no group named value", remedy)


def quoted(text: str) -> str:
    """Quoted, on one line, without control characters, not longer than a line holds."""
    shown = repr(text)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def bad_run(place: str, run: tuple[str, ...]) -> Iterator[Conflict]:
    """A command: a program, and its arguments."""
    if not run or not run[0]:
        yield Conflict("empty-run", f"{place} is empty", 'write a program and its arguments, as in ["nox", "-s", "x"]')
    if any("\0" in word for word in run):
        yield Conflict("empty-run", f"{place} holds a NUL character", "leave it out")


def bad_lines(place: str, lines: Iterable[str]) -> Iterator[Conflict]:
    """Lines of releases, by major and minor."""
    for line in lines:
        if not re.fullmatch(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)", line):
            yield Conflict("bad-line", f"{place} has {quoted(line)}", 'write major and minor, as in "1.33"')


def bad_platforms(place: str, platforms: Iterable[str]) -> Iterator[Conflict]:
    """Platforms, as an image index has them."""
    for platform in platforms:
        if not re.fullmatch(r"[a-z0-9_]+/[a-z0-9_]+(/[a-z0-9_.]+)?", platform):
            remedy = 'write os/arch or os/arch/variant, as in "linux/arm64"'
            yield Conflict("bad-platform", f"{place} has {quoted(platform)}", remedy)


def unknown_names(place: str, template: str, known: Collection[str]) -> Iterator[Conflict]:
    """A template with names that are not known where it stands."""
    for name in dict.fromkeys(names_in(template)):
        if name not in known:
            why = f"{place} is {quoted(template)}, and {{{name}}} is not known there"
            yield Conflict("unknown-name", why, f"use one of {', '.join(f'{{{one}}}' for one in known)}")


def filled(template: str) -> str:
    """A template with something plain for each of its names."""
    return render(template, dict.fromkeys(names_in(template), "x"))


def is_ref(template: str) -> bool:
    """Whether what is left of a template around its names may stand in a git ref (git-check-ref-format(1))."""
    text = filled(template)
    odd = any(part in text for part in ("..", "//", "/.", ".lock/"))
    ends = text.startswith(("-", ".", "/")) or text.endswith((".", "/", ".lock"))
    return bool(_REF.fullmatch(text)) and not odd and not ends


def same_names(table: str, named: Sequence[tuple[str, Selective]]) -> Iterator[Conflict]:
    """The same name twice is meant only if no release selects both."""
    seen: dict[str, list[Selective]] = {}
    told: set[str] = set()
    for name, one in named:
        if name not in told and any(meet(one, other) for other in seen.get(name, ())):
            told.add(name)
            remedy = "rename one, or let no release select both"
            hint = "; {os} and {arch} tell platforms apart" if table == "artifact" else ""
            yield Conflict("duplicate-name", f"two of [[{table}]] are named {quoted(name)}", remedy + hint)
        seen.setdefault(name, []).append(one)


def meet(one: Selective, other: Selective) -> bool:
    """Whether there is a release that selects both."""
    when = one.when == other.when or "always" in (one.when, other.when)
    return when and (not one.lines or not other.lines or not set(one.lines).isdisjoint(other.lines))


def repeated(names: Iterable[str]) -> tuple[str, ...]:
    """What is there more than once."""
    seen: set[str] = set()
    return tuple(dict.fromkeys(name for name in names if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
