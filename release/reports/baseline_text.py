"""A baseline as text: how the file changes, and what that means."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.baseline import Baseline
from release.reports.text import Line, lines, shown


@lines.register
def _(baseline: Baseline) -> Iterator[Line]:
    for line in baseline.diff:
        style = {"+": "green", "-": "red"}.get(line[:1], "dim")
        yield [(shown(line), style)]
    if not baseline.diff:
        yield [(f"release.toml says since = {shown(baseline.since)} already", "")]
    history = (
        f"{baseline.history} releases with older commits are history" if baseline.history else "no release is older"
    )
    yield [(shown(baseline.since), "bold"), (f": {history}; {baseline.proved} from there on have to be whole", "")]
    if baseline.next:
        yield [(f"next: {baseline.next}", "cyan")]
