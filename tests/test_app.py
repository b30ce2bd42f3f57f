"""What the environment says of who runs us, and what of it builds are told."""

from __future__ import annotations

from release.app.environment import as_a_person, builder_of, invocation_of, of_builds
from release.app.opening import rights
from release.core.config import Attest, Config, Downstream, Project, Sync, Update

ACTIONS = {
    "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/app", "GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_WORKFLOW_REF": "acme/app/.github/workflows/release.yml@refs/tags/v1",
}  # fmt: skip


def test_the_builder_is_the_workflow_as_certificates_name_it_and_the_invocation_its_run() -> None:
    assert builder_of(ACTIONS) == "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1"
    assert invocation_of(ACTIONS) == "https://github.com/acme/app/actions/runs/7/attempts/2"


def test_outside_of_a_workflow_there_is_neither() -> None:
    for missing in ACTIONS:
        some = {name: value for name, value in ACTIONS.items() if name != missing}
        assert (builder_of(some) == "") == (missing in ("GITHUB_SERVER_URL", "GITHUB_WORKFLOW_REF"))
        assert (invocation_of(some) == "") == (missing in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"))


def test_a_token_is_for_all_that_is_done_in_a_repository() -> None:
    """Several downstreams may be in one, where only one of them makes a tag."""
    tables = (
        Downstream("a", "acme/x", trigger="workflow_dispatch"),
        Downstream("b", "acme/x", trigger="none", update=(Update("a.txt"),)),
        Downstream("c", "acme/y", workflow="release.yml"),
    )
    needed = rights(Config(project=Project(forge="github"), downstream=tables), "acme/app")
    assert needed == {
        "acme/x": {"dispatch", "push", "propose"}, "acme/y": {"push", "dispatch"}, "acme/app": {"push"},
    }  # fmt: skip


def test_who_follows_an_upstream_only_looks_there_and_its_captain_needs_no_right_here() -> None:
    follower = Config(project=Project(forge="github"), sync=Sync(upstream="acme/app"))
    assert rights(follower, "acme/only") == {"acme/app": set(), "acme/only": {"push"}}
    waiting = Downstream("only", "acme/only", trigger="sync", workflow="release.yml")
    upstream = Config(project=Project(forge="github"), downstream=(waiting,))
    assert rights(upstream, "acme/app") == {"acme/only": set(), "acme/app": {"push"}}


def test_a_component_is_released_with_all_that_is_here_but_the_event_of_the_upstream() -> None:
    here = {**ACTIONS, "GITHUB_REF": "refs/tags/v1", "GITHUB_EVENT_NAME": "push", "GITHUB_TOKEN": "t", "PATH": "/bin"}
    assert as_a_person(here) == {**ACTIONS, "GITHUB_TOKEN": "t", "PATH": "/bin"}


def test_builds_are_not_told_the_key_that_signs_whatever_it_is_named() -> None:
    environment = {"PATH": "/bin", "ODD": "-----BEGIN PRIVATE KEY-----", "odd": "x"}
    assert of_builds(environment, Config(attest=Attest(key="env:ODD"))) == {"PATH": "/bin", "odd": "x"}
    assert of_builds(environment, Config(attest=Attest(key="ODD"))) == environment
