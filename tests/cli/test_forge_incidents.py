"""What goes wrong between a release and those that follow it: each is seen and named, and everybody else comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from release.sandbox.forge.events import Event
from tests.forge import Client
from tests.forged import CAPTAIN, MAKE, Fleet, fleet, names, workflow

TAG = "v0.1.0"
FILE = ".github/workflows/release.yml"


def once_tagged(fleet: Fleet, act: Callable[[], object], name: str = "app") -> None:
    """Do something as soon as the tag of a repository is public."""

    def listener(event: Event) -> None:
        if (event.repository, event.name, event.ref) == (f"acme/{name}", "push", f"refs/tags/{TAG}"):
            act()

    fleet.forge.events.subscribe(listener)


def out(fleet: Fleet, name: str) -> bool:
    """Whether a component came out with all its files, once."""
    wanted = {f"{name}-amd64.txt", f"{name}-arm64.txt"}
    found = fleet.releases(name)
    return len(found) == 1 and not found[0]["draft"] and names(found[0]["assets"]) >= wanted


def runs(fleet: Fleet, name: str) -> list[tuple[str, int]]:
    """The conclusion and the attempts of each run of a component."""
    return [(run["conclusion"], run["attempt"]) for run in fleet.forge.runs(f"acme/{name}")]


def with_own_token(name: str, secret: str) -> Mapping[str, str]:
    """A downstream's workflow that uses a secret of its repository."""
    return {FILE: workflow("workflow_dispatch").replace("github.token", f"secrets.{secret}")}


@pytest.mark.parametrize("private", [False, True])
def test_a_token_that_does_not_reach_a_downstream_stops_a_release_before_its_first_write(
    private: bool, tmp_path: Path
) -> None:
    with fleet(tmp_path) as some:
        some.forge.repository("acme/second", "main", push=(CAPTAIN,), private=private)
        token = some.forge.token(CAPTAIN, repositories=("acme/app", "acme/first"))
        clone = some.clone("ada")
        before = {name: some.refs(name) for name in ("app", "first", "second")}
        answer = some.invoke(clone, "release", "--yes", env={"SLUICE_GITHUB_TOKEN": token})
        says = r"cannot reach acme/second" if private else r"cannot write to acme/second: give it actions: write there"
        answer.expect(1 if private else 3, "SLUICE_GITHUB_TOKEN", says, "nothing was written")
        assert {name: some.refs(name) for name in before} == before
        assert [some.releases(name) for name in before] == [[], [], []]


def test_a_downstream_that_is_lost_once_the_tag_is_out_is_named_and_the_others_come_out(tmp_path: Path) -> None:
    with fleet(tmp_path, {"first": "release", "second": "workflow_dispatch", "third": "tag"}) as some:
        clone = some.clone("ada")
        once_tagged(some, lambda: some.forge.repository("acme/first", "main"))
        some.invoke(clone, "release", "--yes").expect(
            1, r"downstream first +failed", r"cannot create release v0\.1\.0 of acme/first",
            r"the token of SLUICE_GITHUB_TOKEN cannot reach acme/first.*give it contents: write there",
        )  # fmt: skip
        assert [out(some, name) for name in ("app", "first", "second", "third")] == [True, False, True, True]
        some.forge.repository("acme/first", "main", push=(CAPTAIN,))
        some.invoke(clone, "release", "--yes").expect(0)
        assert out(some, "first")
        assert runs(some, "second") == runs(some, "third") == [("success", 1)]


def test_a_misspelt_secret_of_a_downstream_is_told_in_its_jobs_last_lines_and_its_failed_job_is_run_again(
    tmp_path: Path,
) -> None:
    with fleet(tmp_path) as some:
        some.commit("second", with_own_token("second", "RELEASE_TOKEN"), "ci: a token of our own")
        some.forge.secret("acme/second", "RELEASE_TOKN", some.token)
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(
            1, r"downstream second +failed", r"release\.yml ended with failure \(http://.*/actions/runs/\d+\)",
            "publish", "HTTP Error 401: Unauthorized", "the same command runs its failed jobs again",
        )  # fmt: skip
        assert (out(some, "first"), out(some, "second"), runs(some, "second")) == (True, False, [("failure", 1)])
        some.forge.secret("acme/second", "RELEASE_TOKEN", some.token)
        some.invoke(clone, "release", "--yes").expect(0)
        assert (out(some, "second"), runs(some, "second")) == (True, [("success", 2)])


def test_a_workflow_that_was_mended_is_started_by_hand_and_the_same_command_finishes(tmp_path: Path) -> None:
    with fleet(tmp_path) as some:
        some.commit("second", with_own_token("second", "RELEASE_TOKN"), "ci: a token of our own")
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(1, "HTTP Error 401: Unauthorized")
        some.commit("second", {FILE: workflow("workflow_dispatch")}, "ci: the token that there is")
        some.commit("second", {"more": ""}, "feat: no change of a workflow, which a workflow could not release")
        start(some, "second")
        some.forge.idle()
        some.invoke(clone, "release", "--yes").expect(0)
        assert (out(some, "second"), runs(some, "second")) == (True, [("failure", 1), ("success", 1)])


@pytest.mark.parametrize("trigger", ["workflow_dispatch", "repository_dispatch"])
def test_a_dispatch_that_was_answered_and_starts_nothing_is_named_and_the_next_command_sends_it_again(
    trigger: str, tmp_path: Path
) -> None:
    with fleet(tmp_path, {"first": "release", "second": trigger}) as some:
        some.forge.runner("acme/second", skip=1)
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(
            1, r"downstream second +failed", f"the {trigger} of .* was accepted, and nothing has started in acme/second",
            "send it again", "run the same command again",
        )  # fmt: skip
        assert (out(some, "first"), some.releases("second"), runs(some, "second")) == (True, [], [])
        some.invoke(clone, "release", "--yes").expect(0)
        assert (out(some, "second"), runs(some, "second")) == (True, [("success", 1)])
        assert sum(one.path.endswith("/dispatches") for one in some.forge.exchanges()) == 2


def test_a_run_that_is_green_and_made_nothing_is_no_release(tmp_path: Path) -> None:
    with fleet(tmp_path) as some:
        some.commit("first", {"forgetful": ""}, "feat: forget")
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(
            1, r"downstream first +failed", r"release\.yml is green, but v0\.1\.0 of acme/first lacks first-amd64\.txt, first-arm64\.txt",
            r"mend release\.yml so that it fails when it makes nothing",
        )  # fmt: skip
        assert (out(some, "second"), runs(some, "first")) == (True, [("success", 1)])
        release = some.releases("first")[0]
        with closing(Client(some.forge, some.token)) as captain:
            for arch in ("amd64", "arm64"):
                Client.good(captain.upload(uploads(some, "first", release), f"first-{arch}.txt", b"by hand"))
        some.invoke(clone, "release", "--yes").expect(0)


def test_a_run_that_fails_while_we_watch_is_told_and_the_next_command_runs_it_again_once(tmp_path: Path) -> None:
    with fleet(tmp_path, {"first": "release", "second": "workflow_dispatch", "third": "tag"}) as some:
        broken = 'import sys; sys.exit("no space left")\n' + MAKE
        for name in ("first", "third"):
            some.commit(name, {"make.py": broken}, "feat: break")
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(
            1, r"downstream first +failed", r"downstream third +failed", "no space left"
        )
        assert (runs(some, "first"), runs(some, "third"), out(some, "second")) == (
            [("failure", 1)],
            [("failure", 1)],
            True,
        )
        some.invoke(clone, "release", "--yes").expect(1, "no space left")
        assert runs(some, "first") == runs(some, "third") == [("failure", 2)]
        assert runs(some, "second") == [("success", 1)]
        some.invoke(clone, "release.status").expect(0, f"{TAG} .*begun")


def test_a_downstreams_tag_on_a_commit_outside_its_branch_is_never_moved(tmp_path: Path) -> None:
    with fleet(tmp_path, {"first": "release", "second": "tag"}) as some:
        stray = some.clone("stray", "second")
        some.world.commit(stray, {"stray": "stray\n"}, "feat: stray", push=False)
        some.world.git(stray, "push", "--quiet", str(some.git_of("second")), f"HEAD:refs/tags/{TAG}")
        before = {name: some.refs(name) for name in ("app", "first", "second")}
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(
            3,
            rf"{TAG} of second is on [0-9a-f]{{10}}, which is not in main",
            "a tag is never moved",
            "nothing was written",
        )
        assert {name: some.refs(name) for name in before} == before


def test_a_tag_that_appears_outside_a_downstreams_branch_meanwhile_stops_only_that_downstream(tmp_path: Path) -> None:
    with fleet(tmp_path, {"first": "release", "second": "tag"}) as some:
        stray = some.clone("stray", "second")
        some.world.commit(stray, {"stray": "stray\n"}, "feat: stray", push=False)
        bare = str(some.git_of("second"))
        once_tagged(some, lambda: some.world.git(stray, "push", "--quiet", bare, f"HEAD:refs/tags/{TAG}"))
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(3, rf"{TAG} of second is on", "not in main")
        assert (out(some, "app"), out(some, "first"), some.releases("second")) == (True, True, [])


def test_a_release_that_a_workflows_own_token_made_starts_nothing_and_that_is_said(tmp_path: Path) -> None:
    with fleet(tmp_path) as some:
        token = some.forge.workflow_token("acme/first", None, 1)
        with closing(Client(some.forge, token)) as robot:
            robot.post("/repos/acme/first/releases", tag_name=TAG, make_latest="false")
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(
            1,
            r"downstream first +failed",
            "no run of release.yml has started in acme/first",
            "GITHUB_TOKEN",
            "for its events start nothing",
        )
        assert (out(some, "app"), out(some, "second"), runs(some, "first")) == (True, True, [])


def test_what_an_upstreams_own_workflow_token_cannot_do_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with fleet(tmp_path) as some:
        token = some.forge.workflow_token("acme/app", None, 1)
        clone = some.clone("ada")
        before = some.refs("app")
        some.invoke(clone, "release", "--yes", env={"SLUICE_GITHUB_TOKEN": "", "GITHUB_TOKEN": token}).expect(
            3, "the token of GITHUB_TOKEN cannot write to acme/first", "acme/second", "nothing was written"
        )
        assert some.refs("app") == before


def start(some: Fleet, name: str) -> None:
    """Start a component's workflow by hand."""
    with closing(Client(some.forge, some.token)) as captain:
        captain.post(f"/repos/acme/{name}/actions/workflows/release.yml/dispatches", ref="main", inputs={"tag": TAG})


def uploads(some: Fleet, name: str, release: Mapping[str, Any]) -> dict[str, Any]:
    """Where files for a release go."""
    return {"upload_url": f"{some.forge.url}/api/uploads/repos/acme/{name}/releases/{release['id']}/assets"}
