"""Several releases as one table: a row a step, a column a release, in which each mark stands below its tag."""

from __future__ import annotations

import io

from release.core.plan import Plan, Plans, State, StepState
from release.reports import console


def plan(line: str, *steps: tuple[str, State]) -> Plan:
    return Plan(
        version=f"{line}.1+k1",
        tag=f"v{line}.1+k1",
        line=line,
        kind="final",
        bump="patch",
        branch=f"release-{line}",
        commit="0" * 40,
        steps=tuple(StepState(name, state, "") for name, state in steps),
    )


def test_steps_that_mean_the_same_share_a_row_and_others_come_where_their_release_has_them() -> None:
    one = plan("1.33", ("tag", "done"), ("image app:v1.33.1-k1", "pending"), ("finish", "pending"))
    other = plan("1.34", ("commit", "done"), ("tag", "done"), ("image app:v1.34.1-k1", "failed"), ("finish", "pending"))
    out = io.StringIO()
    console.show(Plans((one, other)), out)
    assert out.getvalue().split("\n")[:5] == [
        "                         v1.33.1+k1  v1.34.1+k1",
        "  commit                             ✓",
        "  tag                    ✓           ✓",
        "  image app:{image_tag}  ·           ✗",
        "  finish                 ·           ·",
    ]
