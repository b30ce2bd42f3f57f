"""Gates that a forge knows of: checks that have to be green, and somebody who has to say yes. Nothing begins before."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.forge import Client
from tests.forged import CAPTAIN, Fleet, fleet
from tests.world import Answer

TAG = "v0.1.0"
BEGUN = "refs/sluice/0.1"
PATIENCE = 60.0


def checks(*match: str, deadline: str = "40s") -> str:
    globs = ", ".join(f'"{glob}"' for glob in match)
    return f'[[gate]]\nname = "ci"\nkind = "checks"\nmatch = [{globs}]\ndeadline = "{deadline}"\n'


def approval(deadline: str = "40s") -> str:
    return f'[[gate]]\nname = "yes"\nkind = "approval"\nenvironment = "qa"\ndeadline = "{deadline}"\n'


def as_(some: Fleet, login: str, method: str, path: str, **body: Any) -> Any:
    """Something that a user does on the forge; a workflow's own token for "robot"."""
    workflow = login == "robot"
    token = some.forge.workflow_token("acme/app", None, 1) if workflow else some.forge.token(login)
    with closing(Client(some.forge, token)) as client:
        return Client.good(client(method, f"/repos/acme/app{path}", body or None))


def status(some: Fleet, context: str, state: str, **more: str) -> None:
    """A commit status at the head of main."""
    as_(some, CAPTAIN, "POST", f"/statuses/{head(some)}", context=context, state=state, **more)


def check_run(some: Fleet, name: str, **more: Any) -> None:
    """A check run at the head of main."""
    as_(some, "robot", "POST", "/check-runs", name=name, head_sha=head(some), **more)


def head(some: Fleet) -> str:
    return some.refs("app")["refs/heads/main"]


def said(some: Fleet, login: str, state: str) -> None:
    """A user's word on the only deployment that was asked for."""
    (asked,) = asks(some)
    some.forge.repository("acme/app", "main", push=(CAPTAIN, "boss", "bob"))
    as_(some, login, "POST", f"/deployments/{asked['id']}/statuses", state=state)


def asks(some: Fleet) -> list[dict[str, Any]]:
    """The deployments that were asked for."""
    return some.forge.store.all("deployment", some.forge.find("acme/app")["id"])


def until(fact: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end, "it never came to be so"
        time.sleep(0.05)


@contextmanager
def releasing(some: Fleet, clone: Path) -> Iterator[subprocess.Popen[str]]:
    """A release that goes on meanwhile."""
    process = some.world.start(clone, "release", "--yes", env=some.settings)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> Answer:
    out, err = process.communicate(timeout=PATIENCE)
    return Answer(process.returncode, out, err)


def test_green_checks_let_a_release_begin_and_the_record_remembers_them(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=checks("build (*)", "ci/*")) as some:
        check_run(some, "build (linux)", status="completed", conclusion="success")
        check_run(some, "build (arm)", status="completed", conclusion="neutral")
        status(some, "ci/tests", "success")
        status(some, "nobody/asked", "failure")
        clone = some.clone("ada")
        some.invoke(clone, "release.plan").expect(0, r"gate ci +done +3 checks green at [0-9a-f]{10}")
        some.invoke(clone, "release", "--yes").expect(0)
        assert BEGUN in some.refs("app")


@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out", "action_required"])
def test_a_red_check_run_stops_a_release_before_it_begins(conclusion: str, tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=checks()) as some:
        check_run(some, "build", status="completed", conclusion="success")
        check_run(some, "lint", status="completed", conclusion=conclusion, output={"title": "2 errors", "summary": ""})
        some.invoke(some.clone("ada"), "release", "--yes").expect(
            1, r"gate ci +failed +not green at [0-9a-f]{10}: lint \(2 errors\)", "mend what they tell"
        )
        assert set(some.refs("app")) == {"refs/heads/main"}


def test_the_newest_status_counts_and_a_red_one_stops_until_it_is_green(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=checks("ci/*")) as some:
        status(some, "ci/tests", "success")
        status(some, "ci/tests", "error", description="out of memory")
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(1, r"not green at [0-9a-f]{10}: ci/tests \(out of memory\)")
        assert BEGUN not in some.refs("app")
        status(some, "ci/tests", "success")
        some.invoke(clone, "release", "--yes").expect(0)


def test_a_pending_check_that_turns_green_while_we_wait_lets_it_on(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=checks("ci/*")) as some:
        status(some, "ci/tests", "pending", description="in the queue")
        with releasing(some, some.clone("ada")) as process:
            until(lambda: sum(one.path.endswith("/check-runs") for one in some.forge.exchanges()) > 2)
            assert BEGUN not in some.refs("app")
            status(some, "ci/tests", "success")
            ended(process).expect(0, r"gate ci.*waits|waits for ci/tests \(in the queue\)")
        assert some.releases("app")[0]["draft"] is False


def test_a_check_that_turns_red_while_we_wait_stops_it(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=checks("ci/*")) as some:
        status(some, "ci/tests", "pending")
        with releasing(some, some.clone("ada")) as process:
            until(lambda: sum(one.path.endswith("/check-runs") for one in some.forge.exchanges()) > 2)
            status(some, "ci/tests", "failure")
            ended(process).expect(1, "not green at .*: ci/tests")
        assert set(some.refs("app")) == {"refs/heads/main"}


@pytest.mark.parametrize(
    ("match", "says"),
    [
        ((), "there is no check at"),
        (("e2e*",), r"no check matches e2e\* at"),
        (("ci/*", "e2e"), "no check matches e2e at"),
    ],
)
def test_no_check_is_not_green_and_ends_with_not_there_yet(match: tuple[str, ...], says: str, tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=checks(*match, deadline="1s")) as some:
        if match:
            status(some, "ci/tests", "success")
        some.invoke(some.clone("ada"), "release", "--yes").expect(4, r"gate ci +underway", says, "none is not green")
        assert set(some.refs("app")) == {"refs/heads/main"}


def test_our_own_run_is_no_check_of_ours(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=checks(deadline="1s")) as some:
        own = f"{some.forge.url}/acme/app/actions/runs/77"
        check_run(some, "release", status="in_progress", details_url=f"{own}/job/1")
        status(some, "release/status", "pending", target_url=own)
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(4, "waits for release")
        actions = {"GITHUB_RUN_ID": "77", "GITHUB_REPOSITORY": "acme/app"}
        some.invoke(clone, "release", "--yes", env=actions).expect(4, "there is no check at")
        status(some, "ci", "success")
        some.invoke(clone, "release", "--yes", env=actions).expect(0, "1 checks? green")


def test_an_approval_is_asked_for_once_and_a_reviewers_yes_lets_it_on(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=approval("1s")) as some:
        some.forge.environment("acme/app", "qa", reviewers=("boss",))
        clone = some.clone("ada")
        for _ in range(2):
            some.invoke(clone, "release", "--yes").expect(
                4,
                r"gate yes +underway +waits for approval in qa: gh api repos/acme/app/deployments/\d+/statuses -f state=success",
            )
        some.invoke(some.clone("bob"), "release", "--yes").expect(4)
        (asked,) = asks(some)
        assert (asked["sha"], asked["environment"], asked["task"]) == (head(some), "qa", f"release:{TAG}")
        assert set(some.refs("app")) == {"refs/heads/main"}
        said(some, "boss", "success")
        some.invoke(clone, "release", "--yes").expect(0, "approved by boss in qa")
        assert len(asks(some)) == 1


def test_a_yes_that_comes_while_we_wait_lets_it_on(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=approval()) as some:
        some.forge.environment("acme/app", "qa", reviewers=("boss",))
        with releasing(some, some.clone("ada")) as process:
            until(lambda: len(asks(some)) == 1)
            said(some, "boss", "success")
            ended(process).expect(0, "approved by boss in qa")


def test_a_yes_of_somebody_who_is_no_reviewer_does_not_count(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=approval("1s")) as some:
        some.forge.environment("acme/app", "qa", reviewers=("boss",))
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(4)
        said(some, "bob", "success")
        some.invoke(clone, "release", "--yes").expect(4, "bob said yes, and is no reviewer of qa")
        assert set(some.refs("app")) == {"refs/heads/main"}
        said(some, "boss", "success")
        some.invoke(clone, "release", "--yes").expect(0)


def test_a_yes_is_open_again_once_anybody_says_something_later(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=approval("1s")) as some:
        some.forge.environment("acme/app", "qa", reviewers=("boss",))
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(4)
        said(some, "boss", "success")
        said(some, "bob", "pending")
        some.invoke(clone, "release", "--yes").expect(4)
        assert set(some.refs("app")) == {"refs/heads/main"}


def test_a_no_stops_it_and_says_who_said_so_and_the_same_command_asks_again(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=approval("1s")) as some:
        some.forge.environment("acme/app", "qa", reviewers=("boss",))
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(4)
        said(some, "boss", "failure")
        some.invoke(clone, "release.plan").expect(0, rf"boss said no to {TAG} in qa", "the same command asks again")
        some.invoke(clone, "release", "--yes").expect(4, "waits for approval in qa")
        assert len(asks(some)) == 2
        assert set(some.refs("app")) == {"refs/heads/main"}


def test_a_no_while_we_wait_stops_it(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=approval()) as some:
        some.forge.environment("acme/app", "qa", reviewers=("boss",))
        with releasing(some, some.clone("ada")) as process:
            until(lambda: len(asks(some)) == 1)
            said(some, "boss", "failure")
            ended(process).expect(1, rf"boss said no to {TAG} in qa")
        assert set(some.refs("app")) == {"refs/heads/main"}


def test_an_approval_is_for_one_commit(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=approval("1s")) as some:
        some.forge.environment("acme/app", "qa", reviewers=("boss",))
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(4)
        said(some, "boss", "success")
        some.commit("app", {"more.txt": "more\n"}, "fix: more")
        some.world.git(clone, "pull", "--quiet")
        some.invoke(clone, "release", "--yes").expect(4, "waits for approval")
        assert [one["sha"] for one in asks(some)][-1] == head(some)
        assert len(asks(some)) == 2


def test_an_environment_that_is_not_there_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=approval()) as some:
        some.invoke(some.clone("ada"), "release", "--yes").expect(
            3,
            "acme/app has no environment qa, and so nobody who could approve",
            "Settings, Environments",
            "nothing was written",
        )
        assert asks(some) == []


def test_a_token_that_cannot_ask_for_an_approval_is_said_beforehand(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates=approval()) as some:
        some.forge.environment("acme/app", "qa", reviewers=("boss",))
        token = some.forge.token("stranger", repositories=("acme/app",))
        some.invoke(some.clone("ada"), "release", "--yes", env={"SLUICE_GITHUB_TOKEN": token}).expect(
            3, "SLUICE_GITHUB_TOKEN", "give it deployments: write there", "nothing was written"
        )
        assert asks(some) == []
