"""A plan of the fleet as text: wave by wave, then who is left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from release.core.fleet_plan import FleetPlan, Planned
from release.reports.text import Line, lines, shown

FEW = 20  # that are told one a line, in each wave
REST = "--format json has all"


@lines.register
def _(plan: FleetPlan) -> Iterator[Line]:
    what = plan.tag or (f"a release of line {plan.line}" if plan.line else "a release")
    count = sum(map(len, plan.waves))
    yield [(f"{shown(plan.project)} {shown(what)}", "bold"), (_counted(plan, count), "")]
    for number, wave in enumerate(plan.waves, 1):
        yield []
        yield [(f"wave {number}", "bold"), (f": {len(wave)}", "")]
        for one in wave[:FEW]:
            yield [(f"  {shown(one.name)}", "green"), (f"  {shown(_told(one, plan))}", "")]
        if len(wave) > FEW:
            yield [(f"  and {len(wave) - FEW} more; {REST}", "dim")]
    yield from _left_out(plan)


def _counted(plan: FleetPlan, count: int) -> str:
    if not count:
        return ": nobody would be released"
    plural = "s" if len(plan.waves) > 1 else ""
    return f": {count} of {count + len(plan.left_out)} components, in {len(plan.waves)} wave{plural}"


def _told(one: Planned, plan: FleetPlan) -> str:
    """What is to be known of a component: its tag, how it is set going, whom it waits for, and what selects it."""
    made = "its files are updated" if one.trigger == "none" else f"{one.tag} at {one.branch}, by {one.trigger}"
    said = [made, *([f"of {one.of}"] if one.of else []), *([f"after {', '.join(one.after)}"] if one.after else [])]
    if not plan.kind and one.when != "always":
        said.append(f"{one.when}s only")
    if not plan.line and one.lines:
        said.append(f"{', '.join(one.lines)} only")
    return "; ".join([*said, *([] if one.required else ["not required"])])


def _left_out(plan: FleetPlan) -> Iterator[Line]:
    """By reason: a fleet repeats the same few."""
    if not plan.left_out:
        return
    yield []
    yield [("not released", "bold")]
    reasons: dict[str, list[str]] = defaultdict(list)
    for one in plan.left_out:
        reasons[one.why].append(one.name)
    for why, names in list(reasons.items())[:FEW]:
        more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
        yield [(f"  {shown(', '.join(names[:FEW]))}{more}", "dim"), (f": {shown(why)}", "")]
    if len(reasons) > FEW:
        yield [(f"  and more; {REST}", "dim")]
