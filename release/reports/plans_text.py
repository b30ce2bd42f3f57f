"""Releases of several lines, as one table: a row a step, a column a line; then what is to be said of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from release.core.plan import Plan, Plans, StepState
from release.reports.text import MARKS, STYLES, Line, brief, conflicts, failures, lines, shown

QUIET = ("done", "skipped", "failed")  # what failed is told with all its words


@lines.register
def _(plans: Plans) -> Iterator[Line]:
    yield from _table([plan for plan in plans.lines if plan.steps])
    for plan in plans.lines:
        yield from _said(plan)


def _table(plans: Sequence[Plan]) -> Iterator[Line]:
    """Marks: what each step of each release is like. Steps that only some have come where those have them."""
    columns = [{_row(plan, step): step.state for step in plan.steps} for plan in plans]
    rows = _in_order([list(column) for column in columns])
    heads = [shown(plan.tag or "") for plan in plans]
    wide = max(map(len, map(shown, rows)), default=0)
    if plans:
        yield [(f"  {'':<{wide}}  ", ""), ("  ".join(heads), "bold")]
    for name in rows:
        cells: Line = []
        for head, found in zip(heads, columns, strict=True):
            state = found.get(name)
            cells += [(MARKS[state] if state else " ", STYLES[state] if state else ""), (" " * (len(head) + 1), "")]
        yield [(f"  {shown(name):<{wide}}  ", ""), *cells[:-1]]


def _row(plan: Plan, step: StepState) -> str:
    """A step's name without what tells one release from the other, which is at the head of the column."""
    tag = plan.tag or ""
    name = step.name.replace(tag, "{tag}") if tag else step.name
    return name.replace(tag.replace("+", "-"), "{image_tag}") if "+" in tag else name


def _in_order(columns: Sequence[Sequence[str]]) -> list[str]:
    """Every name once; one that the columns before lack comes after the one that it follows in its own."""
    rows: list[str] = []
    for column in columns:
        known, at = set(rows), 0
        for name in column:
            if name in known:
                at = rows.index(name) + 1
            else:
                rows.insert(at, name)
                at += 1
    return rows


def _said(plan: Plan) -> Iterator[Line]:
    """A release in a line, and below it whatever of it is not done."""
    if plan.tag:
        after = f", after {plan.previous}" if plan.previous else ""
        what = (
            f"  {plan.kind} of line {plan.line}, {plan.bump}{after}, from {plan.branch} at {(plan.commit or '')[:10]}"
        )
        yield [(shown(plan.tag), "bold"), (shown(what), "")]
    elif plan.nothing:
        yield [(f"line {plan.line}", "bold"), ("  nothing to do: ", "bold green"), (shown(plan.nothing), "")]
    else:
        yield [(f"line {plan.line}", "bold")]
    yield from ([(f"  because {shown(one.source)}: {shown(one.what)} ({one.bump})", "dim")] for one in plan.reasons[:1])
    if plan.next:  # before that, the table says all, and `release.plan` of one line the rest
        yield from (_step(step) for step in plan.steps if step.state not in QUIET)
    yield from failures(plan.steps)
    yield from conflicts(plan.conflicts)
    yield from ([(f"  note: {shown(remark)}", "")] for remark in plan.remarks)
    if plan.nothing and plan.tag:
        yield [("  nothing to do: ", "bold green"), (shown(plan.nothing), "")]
    if plan.next:
        yield [("  not finished; to go on, here or in any other clone: ", ""), (plan.next, "bold")]


def _step(step: StepState) -> Line:
    return [
        (f"  {MARKS[step.state]} ", STYLES[step.state]),
        (f"{shown(step.name)}: ", ""),
        (brief(step.detail), "dim"),
    ]
