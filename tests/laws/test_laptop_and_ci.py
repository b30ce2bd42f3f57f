"""A laptop and CI start the same release in the same second: there is one of everything in the end, and both say so."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import Request, urlopen

from tests.forged import UPSTREAM, Fleet, fleet, names
from tests.laws.harness.stories import TAG

CI = UPSTREAM.replace("on:\n  push:\n    tags: ['v*']\n", "on: workflow_dispatch\n")
assert "push" not in CI
MEET = """\
[[gate]]
name = "meet"
run = ["sh", "-c", "touch {place}/$$; for i in $(seq 300); do [ $(ls {place} | wc -l) -ge 2 ] && exit 0; sleep 0.1; done; exit 1"]
"""


def test_a_laptop_and_ci_in_the_same_second_dispatch_each_component_once(tmp_path: Path) -> None:
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    chosen = {"first": "workflow_dispatch", "second": "repository_dispatch"}
    with fleet(tmp_path / "fleet", chosen, gates=MEET.replace("{place}", str(meeting))) as ours:
        ours.commit("app", {".github/workflows/captain.yml": CI}, "ci: release by hand")
        clone = ours.clone("ada")
        dispatched(ours, "captain.yml")
        laptop = ours.invoke(clone, "release", "--yes").expect(0, rf"{TAG} on", r"finish +done")
        ours.forge.idle(60)
        assert len(list(meeting.iterdir())) == 2, "both were there before anything had begun"

        (run,) = ours.forge.runs("acme/app")
        (job,) = ours.forge.jobs("acme/app", run["id"])
        log = ours.forge.log("acme/app", job["id"])
        assert run["conclusion"] == "success", log
        for said in (laptop.said, log):
            assert all(f"downstream {name}: done" in said for name in chosen), said
            assert "finish: done" in said
        once(ours, chosen)
        record = ours.world.git(ours.git_of("app"), "log", "--first-parent", "--format=%s", "refs/sluice/0.1")
        told = [word for word in record.splitlines() if word.startswith(("begun", "finished", "abandoned"))]
        assert told == [f"finished {TAG}", f"begun {TAG}"]
        ours.invoke(clone, "release", "--yes").expect(0, "nothing to do")
        once(ours, chosen)


def dispatched(ours: Fleet, workflow: str) -> None:
    """Start a workflow of the upstream."""
    address = f"{ours.forge.api_url}/repos/acme/app/actions/workflows/{workflow}/dispatches"
    headers = {"Authorization": f"Bearer {ours.token}", "Content-Type": "application/json"}
    with urlopen(Request(address, json.dumps({"ref": "main"}).encode(), headers), timeout=30) as answer:
        assert answer.status in (200, 204)


def once(ours: Fleet, chosen: dict[str, str]) -> None:
    """One release of everything, and one run for each component, green at its first attempt."""
    for name in ("app", *chosen):
        (release,) = ours.releases(name)
        assert (release["tag_name"], release["draft"]) == (TAG, False)
        assert [ref for ref in ours.refs(name) if ref.startswith("refs/tags/")] == [f"refs/tags/{TAG}"]
    for name, trigger in chosen.items():
        (run,) = ours.forge.runs(f"acme/{name}")
        assert (run["event"], run["conclusion"], run["attempt"]) == (trigger, "success", 1)
        assert names(ours.releases(name)[0]["assets"]) == {f"{name}-amd64.txt", f"{name}-arm64.txt"}
