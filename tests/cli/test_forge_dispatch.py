"""What is set going and comes to nothing: it is named, sent again by the next command, and never taken for another's."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from release.sandbox.forge import Fault
from tests.forge import Client
from tests.forged import TAG_OF, WORKFLOW, Fleet, fleet

TAG = "v0.1.0"


def asked(some: Fleet, path: str, **body: Any) -> None:
    """Something that a captain asks of the forge by hand."""
    with closing(Client(some.forge, some.token)) as captain:
        captain.post(path, **body)


def runs(some: Fleet, name: str) -> list[str]:
    """How the runs of a repository ended, oldest first."""
    return [run["conclusion"] for run in some.forge.runs(f"acme/{name}")]


def test_a_dispatch_whose_run_was_green_and_made_nothing_is_sent_again_once_its_workflow_is_mended(
    tmp_path: Path,
) -> None:
    with fleet(tmp_path, {"only": "workflow_dispatch"}) as some:
        some.commit("only", {"forgetful": ""}, "feat: forget")
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(1, "lacks only-amd64.txt", "the same command starts it again")
        some.commit("only", {"forgetful": None}, "fix: remember")
        some.invoke(clone, "release", "--yes").expect(0)
        assert runs(some, "only") == ["success", "success"]
        assert [release["tag_name"] for release in some.releases("only")] == [TAG]


def test_a_dispatch_that_nobody_can_follow_is_sent_again_when_nothing_came_of_it_in_its_time(tmp_path: Path) -> None:
    with fleet(tmp_path, {"only": "repository_dispatch"}, {"only": 'deadline = "3s"'}) as some:
        clone = some.clone("ada")
        config = (clone / "release.toml").read_text().replace('workflow = "release.yml"\n', "")
        some.commit("app", {"release.toml": config}, "ci: follow no run")
        some.world.git(clone, "pull", "--quiet")
        some.forge.runner("acme/only", skip=1)
        told = some.invoke(clone, "release", "--yes")
        told.expect(1, "was begun, and nothing came of it: the repository_dispatch of .* brought no release v0.1.0")
        assert runs(some, "only") == []
        some.invoke(clone, "release", "--yes")
        some.forge.idle()
        some.invoke(clone, "release", "--yes").expect(0)
        assert runs(some, "only") == ["success"]


def test_a_run_that_was_started_by_hand_for_the_tag_is_as_good_as_the_one_that_never_came(tmp_path: Path) -> None:
    with fleet(tmp_path, {"only": "release"}) as some:
        both = WORKFLOW.format(on="  release:\n    types: [published]\n  workflow_dispatch:\n", tag=TAG_OF)
        some.commit("only", {".github/workflows/release.yml": both}, "ci: by hand, too")
        some.commit("only", {"more.txt": "more\n"}, "feat: more")
        clone = some.clone("ada")
        some.forge.runner("acme/only", starts=False)
        told = some.invoke(clone, "release", "--yes")
        told.expect(1, "no run of release.yml has started", "gh workflow run release.yml --repo acme/only --ref v0.1.0")
        some.forge.runner("acme/only", starts=True)
        asked(some, "/repos/acme/only/actions/workflows/release.yml/dispatches", ref=TAG)
        some.forge.idle()
        some.invoke(clone, "release", "--yes").expect(0)
        assert runs(some, "only") == ["success"]


def test_the_run_of_another_release_is_not_taken_for_ours(tmp_path: Path) -> None:
    with fleet(tmp_path, {"only": "repository_dispatch"}) as some:
        clone = some.clone("ada")
        some.forge.runner("acme/only", skip=1)
        some.invoke(clone, "release", "--yes").expect(1, "nothing has started in acme/only")
        asked(some, "/repos/acme/only/dispatches", event_type="release", client_payload={"tag": "v9.9.9"})
        some.forge.idle()
        assert runs(some, "only") == ["failure"], "there is no v9.9.9 to fetch"
        some.invoke(clone, "release", "--yes").expect(0)
        assert runs(some, "only") == ["failure", "success"]


def test_a_tag_that_would_start_nothing_is_not_pushed(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, start='start = "tag"\nworkflow = "ship.yml"') as some:
        clone = some.clone("ada")
        before = some.refs("app")
        some.invoke(clone, "release", "--yes").expect(3, r"no-workflow", r"has no \.github/workflows/ship\.yml")
        assert some.refs("app") == before


def test_a_gate_that_the_record_alone_says_is_passed_is_asked_of_the_forge_until_the_tag_is_out(tmp_path: Path) -> None:
    gate = '[[gate]]\nkind = "checks"\nname = "ci"\ndeadline = "2s"'
    with fleet(tmp_path, {}, gates=gate) as some:
        clone = some.clone("ada")
        head = some.refs("app")["refs/heads/main"]
        status = f"/repos/acme/app/statuses/{head}"
        asked(some, status, state="success", context="ci")
        some.forge.faults(Fault("POST", "/repos/acme/app/releases", status=422, body={"message": "not today"}))
        some.invoke(clone, "release", "--yes").expect(1, "not today")
        assert "refs/sluice/0.1" in some.refs("app"), "it has begun, and the record says that the gate is passed"
        asked(some, status, state="failure", context="ci")
        some.invoke(clone, "release", "--yes").expect(1, "gate ci +failed")
        assert "refs/tags/v0.1.0" not in some.refs("app")
        asked(some, status, state="success", context="ci")
        some.invoke(clone, "release", "--yes").expect(0)


def test_an_optional_downstream_that_failed_leaves_the_command_that_finishes_it(tmp_path: Path) -> None:
    with fleet(tmp_path, {"only": "release"}, {"only": "required = false"}) as some:
        clone = some.clone("ada")
        some.forge.faults(Fault("GET", "/acme/app/releases/download/*", status=503))
        some.invoke(clone, "release", "--yes").expect(1, "downstream only +failed", "invoke release --version v0.1.0")
        some.invoke(clone, "release", "--version", "v0.1.0", "--yes").expect(0)
