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
    below = f"{baseline.history} release{'s' if baseline.history != 1 else ''} before it {'are' if baseline.history != 1 else 'is'} history"
    onward = f"{baseline.proved} from it on {'have' if baseline.proved != 1 else 'has'} to be whole"
    yield [(shown(baseline.since), "bold"), (f": {below}, {onward}", "")]
    if baseline.next:
        yield [(f"next: {baseline.next}", "cyan")]
