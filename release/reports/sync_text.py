"""What a component made of its upstream's releases, as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from release.core.sync import State, Sync
from release.reports.text import GUTTER, MARKS, STYLES, Line, lines, shown

STATES: Mapping[State, str] = {
    "there": "done",
    "missing": "pending",
    "made": "done",
    "waits": "underway",
    "failed": "failed",
    "blocked": "blocked",
}


@lines.register
def _(sync: Sync) -> Iterator[Line]:
    wide = max((len(shown(one.tag)) for one in sync.releases), default=0)
    for one in sync.releases:
        if one.state != "there":
            kind = STATES[one.state]
            first, *rest = one.detail.split("\n")
            yield [(f"{MARKS[kind]} {shown(one.tag):<{wide}}  {one.state:<8}", STYLES[kind]), (shown(first), "")]
            yield from ([(GUTTER, "dim"), (shown(line), "dim")] for line in rest)
    counts = Counter(one.state for one in sync.releases)
    said = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    name, upstream = shown(sync.name), shown(sync.upstream)
    yield [(f"{name} of {upstream}: ", "bold"), (said or "no release of it is for this component", "")]
    for remark in sync.remarks:
        yield [(f"note: {shown(remark)}", "dim")]
