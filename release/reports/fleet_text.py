"""The fleet as text: a few components as a table, one in full, and of many those that have something to say.

A row of the table is a release in which something is not as it should be. What is cut says how to see the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from release.core.cells import Cell, Held
from release.core.fleet_status import Component, Status, Summary
from release.reports.ages import short
from release.reports.text import SOME, Line, lines, shown

FEW = 8  # components that are shown as columns
WIDE = 120  # characters of their names
ROWS = 40  # releases, the newest, and components with something to say
REST = "--format json has all; --component, --line and --since narrow it"
MARKS = {
    "missing": ("✗", "bold red", ""),
    "wrong": ("≠", "bold red", "on a wrong commit"),
    "incomplete": ("!", "bold magenta", "incomplete"),
    "underway": ("…", "cyan", "under way"),
    "waiting": ("·", "yellow", "waits for the component that it is built on"),
    "found": ("✓", "green", ""),
    "": (" ", "", ""),
}
LACKS = {"release": "not published", "run": "its run is red", "assets": "assets", "images": "images"}


@lines.register
def _(status: Status) -> Iterator[Line]:
    upstream, *components = status.components
    seen = [one for one in components if one.error is None]
    if not components:
        yield [("no component is downstream of this project", "")]
    if not upstream.releases:
        yield [("no release is asked about", "")]
    if len(components) == 1 and seen:
        yield from _in_full(seen[0])
    elif len(components) <= FEW and sum(len(shown(one.name)) + 2 for one in components) <= WIDE:
        yield from _table(upstream, components)
    if len(components) <= FEW:
        for one in components:
            yield from _told(one, status.summary[one.name])
    else:
        yield from _many(components, status.summary)
    yield from _of_upstream(upstream, status.upstream)
    yield from _by_tags_alone(seen)


def verdict(cell: Cell) -> str:
    """What there is to say of a release in a component, in one word."""
    if cell.wrong:
        return "wrong"
    if cell.lacks:
        return "underway" if cell.underway else "incomplete"
    return "found" if cell.state == "released" else cell.state


def _table(upstream: Component, components: Sequence[Component]) -> Iterator[Line]:
    """A row a release, a column a component."""
    cells = [{cell.release: cell for cell in one.releases} for one in components]
    releases = dict.fromkeys(cell.release for cell in upstream.releases)
    odd = [release for release in releases if any(_odd(of.get(release)) for of in cells)]
    heads = [shown(one.name) for one in components]
    rows = odd[-ROWS:]
    wide = max((len(shown(release)) for release in rows), default=0)
    if not rows:
        return
    yield [(" " * wide + "  " + "  ".join(heads), "bold")]
    if len(odd) > len(rows):
        yield [(f"{_count(len(odd) - len(rows), 'older one')} not shown ({REST})", "dim")]
    used = set[str]()
    for release in rows:
        row: Line = [(f"{shown(release):<{wide}}", "")]
        for head, of in zip(heads, cells, strict=True):
            cell = of.get(release)
            word = verdict(cell) if cell is not None else ""
            used.add(word)
            row += [("  ", ""), _marked(word, cell, len(head))]
        yield row
    yield from _legend(used)


def _odd(cell: Cell | None) -> bool:
    return cell is not None and verdict(cell) != "found"


def _marked(word: str, cell: Cell | None, wide: int) -> tuple[str, str]:
    """A mark in the middle of its column, with its age where it is missing and there is room."""
    mark, style, _ = MARKS[word]
    aged = f"{mark} {short(cell.age)}" if word == "missing" and cell is not None and cell.age is not None else mark
    return f"{aged if len(aged) <= wide else mark:^{wide}}", style


def _legend(used: Iterable[str]) -> Iterator[Line]:
    told = [f"{mark} {words}" for word, (mark, _, words) in MARKS.items() if word in used and words]
    if told:
        yield [("   ".join(told), "dim")]


def _in_full(one: Component) -> Iterator[Line]:
    """All that is known of each release of a component."""
    cells = _chosen(one.releases)
    if not cells:
        return
    heads = ("RELEASE", "", "COMMIT", "AGE", "RUN", "ASSETS", "IMAGES", "CHANNELS")
    rows = [[*map(shown, _row(cell))] for cell in cells]
    kept = [n for n in range(len(heads)) if n < 4 or any(row[n] for row in rows)]
    wide = {n: max(len(heads[n]), *(len(row[n]) for row in rows)) for n in kept}
    yield [("  ".join(f"{heads[n]:<{wide[n]}}" for n in kept).rstrip(), "dim")]
    if len(one.releases) > len(cells):
        yield [(f"{_count(len(one.releases) - len(cells), 'older one')} not shown ({REST})", "dim")]
    for cell, row in zip(cells, rows, strict=True):
        parts = "  ".join(f"{row[n]:<{wide[n]}}" for n in kept).rstrip()
        style = MARKS[verdict(cell)][1]
        yield [(parts, "" if verdict(cell) == "found" else style)]


def _chosen(cells: Sequence[Cell]) -> Sequence[Cell]:
    """The newest that are not as they should be, and as many of the others as there is room for, in their order."""
    if len(cells) <= ROWS:
        return cells
    odd = [cell.release for cell in cells if _odd(cell)][-ROWS:]
    fine = [cell.release for cell in cells if not _odd(cell)]
    kept = {*odd, *(fine[-(ROWS - len(odd)) :] if len(odd) < ROWS else ())}
    return [cell for cell in cells if cell.release in kept]


def _row(cell: Cell) -> Sequence[str]:
    word = verdict(cell)
    return (
        cell.release,
        {"wrong": "wrong commit", "underway": "under way"}.get(word, word),
        (cell.commit or "")[:10],
        short(cell.age),
        cell.run or "",
        _counted(cell.assets),
        _counted(cell.images),
        " ".join(f"{channel}.{','.join(map(str, numbers))}" for channel, numbers in cell.channels.items()),
    )


def _counted(held: Held | None) -> str:
    if held is None:
        return ""
    there, lacking = len(held.there), len(held.missing) + len(held.incomplete) + len(held.differing)
    seen = f"{there}/{there + lacking}" if there or lacking else ""
    return f"{seen}{'?' if held.unseen else ''}"


def _told(one: Component, summary: Summary) -> Iterator[Line]:
    """A component's sums, and what is behind each of them."""
    yield _sums(one, summary)
    if one.error:
        return
    yield from _longest_missing(one)
    for late in summary.behind[-SOME:]:
        has = f"its newest is {late.newest}" if late.newest else "it has none"
        words = f"  behind on {late.line} by {_count(late.by, 'release')}{_for(late.age)}: {has}, the upstream's {late.upstream}"
        yield [(shown(words), "yellow")]
    if len(summary.behind) > SOME:
        yield [(f"  and on {_count(len(summary.behind) - SOME, 'older line')} ({REST})", "dim")]
    yield from _not_right([cell for cell in one.releases if cell.lacks or cell.wrong])
    if summary.extra:
        yield [(f"  of no release: {_some(summary.extra)}", "dim")]
    if summary.malformed:
        yield [(f"  no version: {_some(summary.malformed)}", "dim")]
    yield from _unseen(one)


def _sums(one: Component, summary: Summary) -> Line:
    if one.error:
        return [(f"{one.name}: could not be seen: ", "bold red"), (shown(one.error), "")]
    finals = f" ({_count(len(summary.missing_final), 'final')})" if summary.missing_final else ""
    parts = [f"{len(summary.found)} of {len(summary.expected)} found, {len(summary.missing)} missing{finals}"]
    counts = {
        "waiting": "waiting",
        "incomplete": "incomplete",
        "underway": "under way",
        "wrong_commit": "on a wrong commit",
    }
    parts += [f"{len(getattr(summary, name))} {words}" for name, words in counts.items() if getattr(summary, name)]
    bad = summary.missing or summary.incomplete or summary.wrong_commit
    return [(f"{one.name}: ", "bold"), (", ".join(parts), "red" if bad else "green")]


def _longest_missing(one: Component) -> Iterator[Line]:
    missing = [cell for cell in one.releases if cell.state == "missing" and cell.age is not None]
    if missing:
        oldest = max(missing, key=lambda cell: cell.age or 0)
        yield [(f"  missing the longest: {shown(oldest.release)},{_for(oldest.age)}", "dim")]


def _not_right(cells: Sequence[Cell]) -> Iterator[Line]:
    for cell in cells[-SOME:]:
        for wrong in cell.wrong:
            where = f"the record proved {wrong.proved[:10]}" if wrong.proved else "which is not in its branch"
            yield [(f"  wrong commit {shown(wrong.tag)}: ", "bold red"), (f"it is on {wrong.commit[:10]}, {where}", "")]
        if cell.lacks:
            mark, style = ("under way", "cyan") if cell.underway else ("incomplete", "magenta")
            yield [(f"  {mark} {shown(cell.release)}: ", style), ("; ".join(_why(cell)), "")]
    if len(cells) > SOME:
        yield [(f"  and {len(cells) - SOME} older ones ({REST})", "dim")]


def _why(cell: Cell) -> Iterator[str]:
    for lack in cell.lacks:
        if lack == "release":
            tags = "" if cell.unpublished == (cell.release,) else f"{_some(cell.unpublished)} "
            yield f"{tags}{'are' if len(cell.unpublished) > 1 else 'is'} {LACKS[lack]}"
        elif lack == "run":
            yield f"{LACKS[lack]}{f' ({shown(cell.run_url)})' if cell.run_url else ''}"
        else:
            yield f"{LACKS[lack]} {_held(cell.assets if lack == 'assets' else cell.images)}"


def _held(held: Held | None) -> str:
    parts = (
        {"missing": held.missing, "half uploaded": held.incomplete, "not as recorded": held.differing} if held else {}
    )
    return ", ".join(f"{word}: {_some(names)}" for word, names in parts.items() if names)


def _unseen(one: Component) -> Iterator[Line]:
    for part, why in one.unseen.items():
        yield [(f"  not seen, {shown(part)}: ", "bold red"), (shown(why), "")]


def _many(components: Sequence[Component], summaries: Mapping[str, Summary]) -> Iterator[Line]:
    """Those that have something to say, a line each."""
    telling = [one for one in components if one.error or one.unseen or _tells(summaries[one.name])]
    for one in telling[:ROWS]:
        yield [*_sums(one, summaries[one.name]), *_briefly(one, summaries[one.name])]
    if len(telling) > ROWS:
        yield [(f"and {len(telling) - ROWS} more components ({REST})", "dim")]
    most = Counter(release for one in components for release in summaries[one.name].missing).most_common(SOME)
    if most:
        yield [("missing most: ", "bold"), (", ".join(f"{shown(release)} in {n}" for release, n in most), "")]
    fine = len(components) - len(telling)
    yield [(f"{fine} of {len(components)} components have all that is expected", "bold" if telling else "bold green")]


def _tells(summary: Summary) -> bool:
    """Whether anything of a component is not as it should be."""
    return any(getattr(summary, name) for name in Summary.__struct_fields__ if name not in ("expected", "found"))


def _briefly(one: Component, summary: Summary) -> Line:
    if one.error:
        return []
    late = [f"{behind.line} by {behind.by}{_for(behind.age)}" for behind in summary.behind]
    parts = [f"behind on {_some(late)}"] if late else []
    parts += [f"{len(summary.extra)} of no release"] if summary.extra else []
    parts += [f"{len(summary.malformed)} no version"] if summary.malformed else []
    parts += [f"not seen: {_some(list(one.unseen))}"] if one.unseen else []
    return [(f"; {'; '.join(parts)}", "")] if parts else []


def _of_upstream(one: Component, summary: Summary) -> Iterator[Line]:
    if one.malformed:
        yield [(f"{one.name}: {_some(one.malformed)} are no versions", "yellow")]
    odd = [cell for cell in one.releases if cell.lacks or cell.wrong]
    if odd:
        wrong = "1 is not as it should be" if len(odd) == 1 else f"{len(odd)} are not as they should be"
        yield [(f"{one.name}: ", "bold"), (f"of its own {_count(len(one.releases), 'release')}, {wrong}", "red")]
        yield from _not_right(odd)
    if one.unseen and not odd:
        yield [(f"{one.name}:", "bold")]
    yield from _unseen(one)


def _by_tags_alone(components: Sequence[Component]) -> Iterator[Line]:
    """Nobody is to believe that more was looked at than was."""
    cells = [cell for one in components for cell in one.releases if cell.state == "found"]
    lists = [one.unseen for one in components if one.unseen]
    looked = (part for cell in cells for part in (cell.published, cell.run, cell.assets, cell.images))
    if cells and not lists and all(part is None for part in looked):
        yield [("seen by tags and commits alone: releases, runs, assets and images were not looked at", "dim")]


def _for(age: int | None) -> str:
    return f" for {short(age)}" if age is not None else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _some(names: Sequence[str]) -> str:
    rest = f" and {len(names) - SOME} more (--format json has all)" if len(names) > SOME else ""
    return ", ".join(map(shown, names[:SOME])) + rest
