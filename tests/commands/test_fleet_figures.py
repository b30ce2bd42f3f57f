"""Status and figures of a fleet on a forge: what was broken there is what is told."""

from __future__ import annotations

import io

from release import app
from release.commands.fleet_stats import fleet_stats
from release.commands.fleet_status import fleet_status
from release.core.cells import Held
from release.core.fleet_stats import Failures, Stats
from release.core.fleet_status import Status
from release.core.fleet_window import EVERYTHING, Wanted
from release.reports import console
from release.sandbox.forge import Fault
from tests.commands.test_evidence import FLOW, ONE, THREE, TWO, Fleet, some  # noqa: F401


def judged(fleet: Fleet, wanted: Wanted = EVERYTHING) -> tuple[Status, Stats]:
    session = app.session(fleet.clone)
    try:
        return fleet_status(session, wanted), fleet_stats(session, wanted)
    finally:
        session.stop()


def text_of(value: object) -> str:
    out = io.StringIO()
    console.show(value, out)
    return out.getvalue()


def test_what_is_broken_on_a_forge_is_found_and_counted(some: Fleet) -> None:  # noqa: F811
    files = 'assets = ["{name}-{{arch}}.txt"]\nplatforms = ["linux/amd64", "linux/arm64"]'
    some.configure(*(f"{FLOW}\n{files.format(name=name)}" for name in (ONE, TWO, THREE)))
    status, stats = judged(some)
    assert [one for one in status.summary.values() if one.incomplete or one.missing or one.behind] == []
    assert all(cell.run == "green" and cell.assets for one in status.components[1:] for cell in one.releases)
    assert text_of(status) == "".join(f"{name}: 4 of 4 found, 0 missing\n" for name in (ONE, TWO, THREE))

    store, released = some.forge.store, {one["tag_name"]: one for one in some.forge.releases(f"acme/{ONE}")}
    store.remove(released["v1.2.0"]["assets"][0]["id"])
    store.remove(released["v1.3.0"]["id"])
    for run in some.forge.runs(f"acme/{TWO}"):
        if run["branch"] == "v1.4.0":
            store.change(run["id"], conclusion="failure")
    gone = some.bare(THREE) / "packed-refs"
    gone.write_text("".join(line for line in gone.read_text().splitlines(True) if "v1.4.0" not in line))

    status, stats = judged(some)
    one, two, three = status.summary.values()
    assert (one.incomplete, two.incomplete, three.incomplete) == (("v1.2.0", "v1.3.0"), ("v1.4.0",), ())
    assert (one.missing, two.missing, three.missing) == ((), (), ("v1.4.0",))
    assert [(late.newest, late.upstream, late.by) for late in three.behind] == [(None, "v1.4.0", 1)]
    cells = {cell.release: cell for cell in status.components[1].releases}
    assert cells["v1.2.0"].assets == Held((f"{ONE}-arm64.txt",), (f"{ONE}-amd64.txt",))
    assert (cells["v1.3.0"].published, cells["v1.3.0"].lacks) == ("", ("release",))
    assert cells["v1.1.0"].age is not None
    assert cells["v1.1.0"].age >= 3 * 7 * 86400

    upstream, first, second, third = stats.components
    assert sum(month.finals for month in stats.months) == 4
    assert [each.leads[0].span.count for each in (first, second, third) if each.leads[0].span] == [3, 4, 3]
    assert first.leads[0].unknown == 1
    assert second.failures == Failures(4, 1, 0.25)
    assert second.restored is not None
    assert upstream.failures is None
    assert not stats.blind

    some.forge.faults(Fault("GET", f"/repos/acme/{TWO}/releases", nth=0, status=404, body={"message": "Not Found"}))
    stats = judged(some)[1]
    assert stats.blind
    assert [(each.name, each.unseen) for each in stats.components if each.unseen] == [(TWO, ("releases",))]
