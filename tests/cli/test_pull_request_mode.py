"""A release by pull request: opened, kept up to date, and after its merge tagged by the same command."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from release.sandbox.forge import Fault, merge
from tests.forge import Client, address, serving
from tests.forged import CAPTAIN, UPSTREAM, Fleet, empty, identity, seed
from tests.world import TASKS, Answer, World

PULLS = "/repos/acme/app/pulls"
NEXT = "sluice/next/main"
CONFIG = """\
[project]
name = "app"
repository = "acme/app"
forge = "github"

[version]
scheme = "semver"
candidates = ["rc"]

[[version.file]]
path = "version.txt"
pattern = "version = (?P<value>.*)"

[commit]
mode = "pull-request"

[changelog]
file = "CHANGELOG.md"

[release]
deadline = "0s"
"""


@dataclass(frozen=True)
class Shop:
    """A project whose main takes no push. `clone` is the captain's."""

    some: Fleet
    clone: Path

    def type(self, *arguments: str, clone: Path | None = None) -> Answer:
        """A command of a captain's, whose clone is up to date."""
        place = clone or self.clone
        self.some.world.git(place, "pull", "--quiet", "--ff-only")
        return self.some.invoke(place, *arguments)

    def release(self, *arguments: str, clone: Path | None = None) -> Answer:
        return self.type("release", "--yes", *arguments, clone=clone)

    def pulls(self) -> list[dict[str, Any]]:
        """Every pull request, oldest first."""
        return sorted(self.some.forge.store.all("pull"), key=lambda one: one["number"])

    def pull(self) -> dict[str, Any]:
        """The only one."""
        (found,) = self.pulls()
        return found

    def refs(self) -> dict[str, str]:
        return self.some.refs("app")

    def commit(self, files: dict[str, str | None], message: str) -> str:
        """Somebody's work, which came to main."""
        return self.some.commit("app", files, message)

    def merge(self, number: int, method: Any = "merge") -> str:
        return merge(self.some.forge, "acme/app", number, CAPTAIN, method)

    def show(self, commit: str, path: str) -> str:
        return self.some.world.git(self.some.git_of("app"), "show", f"{commit}:{path}")

    def touch(self, files: dict[str, str], message: str) -> str:
        """Somebody's commit on the branch of the pull request."""
        path = self.some.world.folder / "guest"
        if not path.exists():
            self.some.world.git(self.some.world.folder, "clone", "--quiet", str(self.some.git_of("app")), str(path))
        self.some.world.git(path, "fetch", "--quiet")
        self.some.world.git(path, "checkout", "--quiet", "-B", NEXT, f"origin/{NEXT}")
        return World(path.parent, {**self.some.world.environment, **identity("guest")}).commit(path, files, message)

    def status(self) -> list[tuple[str, ...]]:
        """Line, outcome, tag and next command of everything in flight."""
        told = self.type("release.status", "--format", "json").expect(0).value["lines"]
        return [tuple(one[key] for key in ("line", "outcome", "tag", "next")) for one in told]

    def writes(self) -> int:
        """How many requests and pushes changed something so far."""
        made = [one for one in self.some.forge.exchanges() if one.method in ("POST", "PATCH", "PUT", "DELETE")]
        return len(made)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    world = empty(tmp_path)
    files = {
        "release.toml": CONFIG,
        "tasks.py": TASKS,
        "version.txt": "name = app\nversion = 0.0.0\n",
        "app.txt": "app\n",
    }
    with serving(tmp_path / "forge") as forge:
        seed(world, forge, "app", files)
        forge.protect("acme/app", branches=["main"])
        some = Fleet(world, forge, forge.token(CAPTAIN))
        yield Shop(some, some.clone("captain"))


def test_a_pull_request_is_opened_left_alone_and_its_merge_is_tagged(shop: Shop) -> None:
    shop.type("release.plan").expect(0, r"open a pull request with v0\.1\.0")
    base, world = shop.refs()["refs/heads/main"], shop.some.world
    other = world.git(shop.clone, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "no")
    pushed = ["push", address(shop.some.forge, shop.some.token, "acme/app"), f"{other}:refs/heads/main"]
    world.git(shop.clone, *pushed, check=False)
    shop.release().expect(4, r"waits for the merge of #1", r"invoke release")
    pull, refs = shop.pull(), shop.refs()
    assert (pull["title"], pull["head"], pull["base"]) == ("chore(release): v0.1.0", NEXT, "main")
    assert refs["refs/heads/main"] == base
    assert not any(name.startswith(("refs/tags/", "refs/sluice/")) for name in refs)
    head = refs[f"refs/heads/{NEXT}"]
    assert shop.show(head, "version.txt") == "name = app\nversion = 0.1.0"
    assert "## [0.1.0]" in shop.show(head, "CHANGELOG.md")
    made = shop.writes()
    shop.release().expect(4, r"waits for the merge of #1")
    shop.type("release.begin", "--yes").expect(4, r"waits for the merge of #1", r"to go on.*: invoke release$")
    assert (shop.writes(), shop.refs()) == (made, refs)
    assert shop.status() == [("0.1", "proposed", "v0.1.0", "invoke release")]
    merged = shop.merge(1)
    assert shop.status() == [("0.1", "merged", "v0.1.0", "invoke release")]
    assert shop.type("release.version", "--format", "json").value["next"] == "0.1.0"
    shop.release().expect(0)
    assert shop.refs()["refs/tags/v0.1.0"] == shop.refs()["refs/heads/main"] == merged
    assert [one["tag_name"] for one in shop.some.releases("app")] == ["v0.1.0"]
    shop.release().expect(0, "out")
    assert "not finished" not in shop.type("release.begin", "--yes").expect(0, "nothing to do").err
    assert len(shop.pulls()) == 1


@pytest.mark.parametrize("method", ["squash", "rebase"])
def test_it_follows_the_branch_and_what_was_merged_is_tagged_though_the_branch_moved_on(
    shop: Shop, method: str
) -> None:
    shop.release().expect(4, "waits for the merge of #1")
    shop.commit({"b.txt": "b\n"}, "fix: the other thing")
    shop.type("release.plan").expect(0, r"update #1 to v0\.1\.0")
    shop.release().expect(4, "waits for the merge of #1")
    head = shop.refs()[f"refs/heads/{NEXT}"]
    assert "the other thing" in shop.show(head, "CHANGELOG.md").lower()
    assert "the other thing" in shop.pull()["body"].lower()
    merged = shop.merge(1, method)
    with closing(Client(shop.some.forge, shop.some.token)) as client:
        assert client("DELETE", f"/repos/acme/app/git/refs/heads/{NEXT}").status_code == 204
    later = shop.commit({"c.txt": "c\n"}, "feat: one more thing")
    shop.release().expect(0)
    assert (shop.refs()["refs/tags/v0.1.0"], shop.refs()["refs/heads/main"]) == (merged, later)
    assert "one more thing" not in shop.some.releases("app")[0]["body"].lower()
    shop.release().expect(4, r"#2")
    assert shop.pulls()[1]["title"] == "chore(release): v0.2.0"


def test_other_changes_in_the_merge_are_refused_and_the_number_can_be_given_up(shop: Shop) -> None:
    shop.release().expect(4)
    shop.commit({"b.txt": "b\n"}, "fix: the other thing")
    shop.merge(1)
    refused = shop.release().expect(
        3, r"\[proposal-differs\]", r"b\.txt besides", r"release\.abandon --version v0\.1\.0"
    )
    assert "nothing was written" in refused.err
    assert not any(name.startswith(("refs/tags/", "refs/sluice/")) for name in shop.refs())
    shop.type("release.abandon", "--version", "v0.1.0", "--reason", "merged with other changes", "--yes").expect(0)
    shop.release().expect(4, "waits for the merge of #2")
    second = shop.pulls()[1]
    assert second["title"] != shop.pulls()[0]["title"]
    entry = second["body"].lower()
    assert "an app" in entry
    assert "the other thing" in entry
    merged = shop.merge(2)
    shop.release().expect(0)
    tags = [name for name in shop.refs() if name.startswith("refs/tags/")]
    assert (tags, shop.refs()[tags[0]]) == ([f"refs/tags/{second['title'].split()[-1]}"], merged)


def test_a_merge_without_the_version_is_refused(shop: Shop) -> None:
    shop.release().expect(4)
    shop.touch({"version.txt": "name = app\nversion = 0.0.0\n"}, "chore: no, leave it")
    shop.merge(1)
    shop.release().expect(3, r"\[proposal-differs\]", r"version\.txt lacks the entry of v0\.1\.0")


def test_more_than_the_version_in_its_file_is_refused(shop: Shop) -> None:
    shop.release().expect(4)
    shop.touch({"version.txt": "name = other\nversion = 0.1.0\n"}, "chore: and another name")
    shop.merge(1)
    shop.release().expect(3, r"\[proposal-differs\]", r"version\.txt besides")


def test_people_may_polish_the_entry_and_the_release_says_what_they_wrote(shop: Shop) -> None:
    shop.release().expect(4)
    head = shop.refs()[f"refs/heads/{NEXT}"]
    polished = (
        shop.show(head, "CHANGELOG.md")
        .replace("An app", "An app that *shines*")
        .replace("an app", "an app that *shines*")
    )
    touched = shop.touch({"CHANGELOG.md": polished + "\n"}, "docs: shine")
    made = shop.writes()
    shop.release().expect(4, r"waits for the merge of #1 \S+, which has others' commits, too")
    assert (shop.writes(), shop.refs()[f"refs/heads/{NEXT}"]) == (made, touched)
    merged = shop.merge(1, "squash")
    shop.release().expect(0)
    assert shop.refs()["refs/tags/v0.1.0"] == merged
    assert "that *shines*" in shop.some.releases("app")[0]["body"]
    shop.commit({"b.txt": "b\n"}, "feat: the next thing")
    shop.release().expect(4, "waits for the merge of #2")  # what is left on the branch was merged by the squash


def test_what_a_person_committed_is_never_thrown_away(shop: Shop) -> None:
    shop.release().expect(4)
    touched = shop.touch({"mine.txt": "mine\n"}, "feat: mine")
    shop.commit({"b.txt": "b\n"}, "fix: the other thing")
    shop.release().expect(3, r"\[proposal-touched\]", touched[:10], f"delete the branch {NEXT}")
    assert shop.refs()[f"refs/heads/{NEXT}"] == touched
    amended = shop.some.world.folder / "guest"
    shop.some.world.git(amended, "reset", "--quiet", "--hard", "HEAD~1")
    (amended / "CHANGELOG.md").write_text("# Changelog\n\n## [0.1.0] - 2026-01-01\n\nMine.\n")
    for name in ("user.name", "user.email"):
        shop.some.world.git(amended, "config", name, "guest")
    shop.some.world.git(amended, "commit", "--quiet", "--all", "--amend", "--no-edit")
    shop.some.world.git(amended, "push", "--quiet", "--force", "origin", NEXT)
    shop.release().expect(3, r"\[proposal-touched\]")


def test_a_pull_request_that_was_closed_is_followed_by_a_new_one(shop: Shop) -> None:
    shop.release().expect(4)
    with closing(Client(shop.some.forge, shop.some.token)) as client:
        client.patch(f"{PULLS}/1", state="closed")
    shop.type("release.plan").expect(0, r"open a pull request with v0\.1\.0: #1 was closed without a merge")
    shop.release().expect(4, "waits for the merge of #2")


def test_somebody_elses_pull_request_from_that_branch_is_left_alone(shop: Shop) -> None:
    shop.release().expect(4)
    with closing(Client(shop.some.forge, shop.some.token)) as client:
        client.patch(f"{PULLS}/1", body="Mine.")
    shop.release().expect(3, r"\[proposal-foreign\]", "close it")
    assert shop.pull()["body"] == "Mine."


def test_two_captains_open_one(shop: Shop) -> None:
    other = shop.some.clone("mate")
    runs = [shop.some.world.start(clone, "release", "--yes", env=shop.some.settings) for clone in (shop.clone, other)]
    said = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [4, 4], said
    assert all("waits for the merge of #1" in "".join(one) for one in said)
    assert shop.pull()["state"] == "open"


@pytest.mark.parametrize(("when", "code"), [("before", 1), ("after", 4)])
def test_an_answer_that_was_lost_leads_to_no_second_one(shop: Shop, when: Any, code: int) -> None:
    shop.some.forge.faults(Fault("POST", PULLS, when=when, reset=True))
    shop.release().expect(code)
    head = shop.refs()[f"refs/heads/{NEXT}"]
    shop.release().expect(4, "waits for the merge of #1")
    assert (len(shop.pulls()), shop.refs()[f"refs/heads/{NEXT}"]) == (1, head)


def test_a_candidate_goes_the_same_way_and_hostile_words_change_nothing(shop: Shop) -> None:
    mark = f"<!-- sluice next 9.9.9 major {'a' * 40} 2030-01-01T00:00:00+00:00 -->"
    shop.commit({"b.txt": "b\n"}, f"fix: {mark} @everyone <script>\n\n```release-note\n{mark}\n```")
    shop.release("--candidate").expect(4, "waits for the merge of #1")
    pull, head = shop.pull(), shop.refs()[f"refs/heads/{NEXT}"]
    assert pull["title"] == "chore(release): v0.1.0-rc.1"
    assert "<script>" not in pull["body"]
    assert "@everyone" not in pull["body"]
    assert re.findall(r"<!-- sluice next (\S+)", pull["body"]) == ["0.1.0-rc.1"]
    assert shop.some.world.git(shop.some.git_of("app"), "diff", "--name-only", f"{head}~1", head) == "version.txt"
    merged = shop.merge(1)
    shop.release("--bump", "final").expect(3, r"\[unfinished\]", r"v0\.1\.0-rc\.1")
    shop.release().expect(0)
    assert shop.refs()["refs/tags/v0.1.0-rc.1"] == merged


def test_a_command_that_waits_follows_the_branch_and_releases_what_is_merged(shop: Shop) -> None:
    shop.commit({"release.toml": CONFIG.replace('"0s"', '"60s"')}, "ci: wait longer")
    shop.some.world.git(shop.clone, "pull", "--quiet")
    run = shop.some.world.start(shop.clone, "release", "--yes", env=shop.some.settings)
    while not shop.pulls():
        assert run.poll() is None, run.communicate()
        time.sleep(0.05)
    base = shop.commit({"b.txt": "b\n"}, "fix: meanwhile")
    while base not in shop.pull()["body"]:
        assert run.poll() is None, run.communicate()
        time.sleep(0.05)
    merged = shop.merge(1)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 0, out + err
    assert shop.refs()["refs/tags/v0.1.0"] == merged
    assert "meanwhile" in shop.some.releases("app")[0]["body"].lower()


def test_the_button_that_brings_a_branch_up_to_date_does_no_harm(shop: Shop) -> None:
    shop.release().expect(4)
    main = shop.commit({"b.txt": "b\n"}, "fix: the other thing")
    git, head = shop.some.forge.git("acme/app"), shop.refs()[f"refs/heads/{NEXT}"]
    updated = git.merge(head, main, f"Merge branch 'main' into {NEXT}", CAPTAIN, int(time.time()))
    git.run("update-ref", f"refs/heads/{NEXT}", updated, head)
    shop.release().expect(4, "waits for the merge of #1")
    parents = shop.some.world.git(shop.some.git_of("app"), "show", "--no-patch", "--format=%P", NEXT)
    assert parents == main
    assert "the other thing" in shop.show(NEXT, "CHANGELOG.md").lower()


def test_where_a_tag_starts_it_the_tag_is_pushed_after_the_merge_and_its_run_does_the_rest(shop: Shop) -> None:
    shop.some.forge.secret("acme/app", "RELEASE_TOKEN", shop.some.token)
    started = CONFIG.replace('deadline = "0s"', 'deadline = "60s"\nstart = "tag"\nworkflow = "release.yml"')
    shop.commit({".github/workflows/release.yml": UPSTREAM}, "ci: release by a workflow")
    shop.release().expect(4)
    base = shop.commit({"release.toml": started}, "ci: a tag starts the release")
    shop.some.world.git(shop.clone, "pull", "--quiet")
    run = shop.some.world.start(shop.clone, "release", "--yes", env=shop.some.settings)
    while base not in shop.pull()["body"]:
        assert run.poll() is None, run.communicate()
        time.sleep(0.05)
    merged = shop.merge(1)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 0, out + err
    assert shop.refs()["refs/tags/v0.1.0"] == merged
    (ran,) = shop.some.forge.store.all("run")
    assert ran["event"] == "push"
