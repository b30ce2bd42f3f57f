"""What pull requests bring: labels and release notes that raise the bump, notes that tell of them, and few requests for it."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest

from release.sandbox.forge import Fault, merge
from tests.forge import Client
from tests.forged import CAPTAIN, Fleet, fleet, identity
from tests.world import Answer, World

PULLS = "/repos/acme/app/pulls"
BEFORE = "v1.2.0"
LABELS = '[changes]\nsources = ["labels"]\n'
NOTES = '[changes]\nsources = ["release-note"]\n'
CONVENTIONAL = '[changes]\nsources = ["conventional"]\n'
BOTH = '[changes]\nsources = ["labels", "release-note"]\n'
OWN = """\
[changes]
sources = ["labels"]
[changes.labels]
"team: doors" = "minor"
"kind/bug" = "none"
"""
TRUNK = '[changes]\nsources = ["conventional", "labels"]\nfirst_parent = true\n'
HOSTILE = "<script>alert(1)</script> [x](http://evil) `rm` @everyone ::error::x ##[error]y \x1b[31mred"
NOTED = """\
```release-note
# A heading
<img src=x onerror=alert(1)> and @everyone

::set-output name=x::y
- an item
<!-- sluice release v9.9.9 -->
[here]: http://evil
```
"""

Method = Literal["merge", "squash"]


@dataclass(frozen=True)
class Shop:
    """A project on a forge whose people work by pull requests. `clone` is the captain's, `desk` everybody else's."""

    some: Fleet
    clone: Path
    desk: Path

    def open(
        self, login: str, title: str, *messages: str, body: str = "", labels: Collection[str] = (), base: str = "main"
    ) -> int:
        """A pull request from a branch with a commit for each message, by default one that says nothing."""
        branch = f"{login}-{len(self.some.forge.store.all('pull'))}"
        self.git("fetch", "--quiet", "origin")
        self.git("checkout", "--quiet", "-B", branch, f"origin/{base}")
        theirs = World(self.some.world.folder, {**self.some.world.environment, **who(login)})
        for place, message in enumerate(messages or ("wip",)):
            theirs.commit(self.desk, {f"{branch}-{place}.txt": message}, message)
        with closing(Client(self.some.forge, self.some.forge.token(login))) as client:
            made = client.post(PULLS, head=branch, base=base, title=title, body=body)
            if labels:
                client.post(f"/repos/acme/app/issues/{made['number']}/labels", labels=[*labels])
        return int(made["number"])

    def pull(self, login: str, title: str, *messages: str, method: Method = "squash", **more: Any) -> int:
        """A pull request that is merged."""
        number = self.open(login, title, *messages, **more)
        self.merge(number, method)
        return number

    def merge(self, number: int, method: Method = "squash") -> str:
        return merge(self.some.forge, "acme/app", number, CAPTAIN, method)

    def git(self, *arguments: str) -> str:
        return self.some.world.git(self.desk, *arguments)

    def type(self, *arguments: str, env: Mapping[str, str] | None = None) -> Answer:
        """A command of the captain's, whose clone is up to date."""
        self.some.world.git(self.clone, "pull", "--quiet", "--ff-only")
        return self.some.invoke(self.clone, *arguments, env=env)

    def value(self, *arguments: str) -> Any:
        return self.type(*arguments, "--format", "json").expect(0).value

    def next(self) -> tuple[str | None, list[tuple[str, str, str, str]]]:
        """The next version, and its reasons: where, what, bump, why."""
        told = self.value("release.version")
        keys = ("source", "what", "bump", "why")
        return told["next"], [tuple(reason[key] for key in keys) for reason in told["reasons"]]

    def notes(self) -> str:
        return str(self.value("release.notes")["notes"])

    def asked(self, *arguments: str) -> list[tuple[str, str]]:
        """Which requests for pull requests a command makes: path below `/pulls`, and page, "" for the first."""
        before = len(list(self.some.forge.exchanges()))
        self.type(*arguments).expect(0)
        made = [one for one in list(self.some.forge.exchanges())[before:] if "/pulls" in one.path]
        pages = [re.search(r"(?:^|&)page=(\d+)", one.query) for one in made]
        return [(one.path.removeprefix(PULLS), page[1] if page else "") for one, page in zip(made, pages, strict=True)]

    @property
    def page(self) -> str:
        """Where the project is seen."""
        return f"{self.some.forge.url}/acme/app"


def who(login: str) -> dict[str, str]:
    """Somebody whose commits have the address that the forge gives to squash merges."""
    mail = f"{login}@users.noreply.localhost"
    return identity(login) | dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), mail)


@contextmanager
def shop(folder: Path, changes: str, template: str = "", **pulled: str) -> Iterator[Shop]:
    """A project that released v1.2.0; before that, each of `pulled` (login -> title) was merged."""
    with fleet(folder, {}, gates=changes) as some:
        some.forge.repository("acme/app", "main", push=(CAPTAIN, "ann", "ben", "cleo"))
        if template:
            text = (some.world.folder / "seed-app" / "release.toml").read_text()
            text = text.replace('file = "CHANGELOG.md"', f'file = "CHANGELOG.md"\ntemplate = "{template}"')
            some.commit("app", {"release.toml": text}, "ci: another template")
        desk = folder / "desk"
        some.world.git(folder, "clone", "--quiet", str(some.git_of("app")), str(desk))
        made = Shop(some, some.clone("ada"), desk)
        for login, title in pulled.items():
            made.pull(login, title)
        some.world.git(some.git_of("app"), "tag", BEFORE, "main")
        yield made


def test_labels_raise_the_bump_where_no_commit_says_anything(tmp_path: Path) -> None:
    with shop(tmp_path, LABELS) as here:
        here.pull("ann", "Mend the door", "wip", "more", labels=["kind/bug"], method="merge")
        bug = ("#1", "Mend the door", "patch", "label kind/bug")
        assert here.next() == ("1.2.1", [bug])
        here.pull("ben", "Widen the door", labels=["Type: Feature", "later"])
        feature = ("#2", "Widen the door", "minor", "label Type: Feature")
        assert here.next() == ("1.3.0", [feature, bug])
        here.pull("ann", "Say no more", labels=["question"])
        assert here.next() == ("1.3.0", [feature, bug])
        here.pull("cleo", "Turn the lock", labels=["SemVer/Major", "bug"])
        major = ("#4", "Turn the lock", "major", "label SemVer/Major")
        assert here.next() == ("2.0.0", [major, ("#4", "Turn the lock", "patch", "label bug"), feature, bug])
        table = here.type("release.version", "--explain").expect(0, r"^2\.0\.0  major, tag v2\.0\.0, after 1\.2\.0\n")
        assert [line.split() for line in table.out.splitlines()[1:3]] == [
            ["BUMP", "WHERE", "WHY", "WHAT"],
            ["major", "#4", "label", "SemVer/Major", "Turn", "the", "lock"],
        ]
        here.type("release.plan").expect(0, r"  because #4: Turn the lock \(major\)\n", r"  because #1: Mend the door")


def test_labels_of_ones_own_count_and_go_before_the_known_ones(tmp_path: Path) -> None:
    with shop(tmp_path, OWN) as here:
        here.pull("ann", "Mend the door", labels=["kind/bug"])
        assert here.next() == (None, [])
        here.type("release.version").expect(0, "none calls for a release")
        here.pull("ann", "Widen the door", labels=["Team/Doors"])
        assert here.next() == ("1.3.0", [("#2", "Widen the door", "minor", "label Team/Doors")])


def test_what_is_merged_by_nobody_does_not_count(tmp_path: Path) -> None:
    with shop(tmp_path, LABELS) as here:
        here.open("ann", "Turn the lock", labels=["semver/major"])
        here.pull("ann", "Elsewhere", labels=["semver/major"], base=elsewhere(here))
        here.pull("ben", "Mend the door", labels=["bug"])
        assert here.next() == ("1.2.1", [("#3", "Mend the door", "patch", "label bug")])


def elsewhere(here: Shop) -> str:
    """A branch that nothing is released from."""
    here.git("push", "--quiet", "origin", "origin/main:refs/heads/elsewhere")
    return "elsewhere"


def test_a_release_note_asks_for_a_patch_for_action_a_major_and_none_is_nothing(tmp_path: Path) -> None:
    with shop(tmp_path, NOTES) as here:
        for text in ("NONE", "<!-- tell users here -->", "n/a"):
            here.pull("ann", "Tidy", body=f"Why not.\n\n```release-note\n{text}\n```\n")
        here.pull("ann", "Tidy more")
        assert here.next() == (None, [])
        here.pull("ben", "Mend", body="```release-note\r\nThe door shuts again.\r\n```", method="merge")
        assert here.next() == ("1.2.1", [("#5", "The door shuts again.", "patch", "release note")])
        here.pull("cleo", "Lock", body="```release-note action required\nTurn every key.\n```")
        urgent = ("#6", "Action required: Turn every key.", "major", "release note: action required")
        assert here.next()[0] == "2.0.0"
        assert here.next()[1][0] == urgent


@pytest.mark.parametrize("method", ["squash", "merge"])
def test_what_was_reverted_does_not_count(method: Method, tmp_path: Path) -> None:
    with shop(tmp_path, BOTH) as here:
        note = "```release-note\nACTION REQUIRED: turn the key.\n```"
        here.pull("ann", "Turn the lock", labels=["semver/major"], body=note, method=method)
        assert here.next()[0] == "2.0.0"
        here.git("fetch", "--quiet", "origin")
        back = here.open("ben", 'Revert "Turn the lock"', *reverting(here, method), body="Reverts acme/app#1")
        here.merge(back, method)
        assert here.next() == (None, [])
        here.pull("cleo", "Mend the door", labels=["bug"], method=method)
        assert here.next() == ("1.2.1", [("#3", "Mend the door", "patch", "label bug")])


def reverting(here: Shop, method: Method) -> tuple[str]:
    """The message that git makes for a commit that takes back what main's last one brought."""
    last = here.git("rev-parse", "origin/main")
    subject = here.git("log", "-1", "--format=%s", last)
    more = f", reversing\nchanges made to {here.git('rev-parse', last + '^')}" if method == "merge" else ""
    return (f'Revert "{subject}"\n\nThis reverts commit {last}{more}.',)


def test_a_release_on_the_forge_has_a_line_a_pull_request_and_says_who_is_new(tmp_path: Path) -> None:
    with shop(tmp_path, CONVENTIONAL, "github", ann="feat: a door") as here:
        here.pull("ben", "Knobs", "docs: tell of knobs", "feat: a knob", method="merge")
        here.pull("ann", "fix(hinge): mend it, closes #7")
        here.pull("cleo", "feat!: lock the door")
        here.some.commit("app", {"straight.txt": ""}, "fix: without anybody's word")
        straight = here.some.refs("app")["refs/heads/main"][:10]
        link = {number: f"[#{number}]({here.page}/pull/{number})" for number in (2, 3, 4)}
        expected = f"""\
### Breaking changes

- lock the door by @cleo in {link[4]}

### What changed

- without anybody's word by other ({straight})
- **hinge**: mend it, closes [#7]({here.page}/issues/7) by @ann in {link[3]}
- a knob (2 commits) by @ben in {link[2]}

### New contributors

- @ben, first in {link[2]}
- @cleo, first in {link[4]}

### Contributors

@ann, @ben, @cleo, other

All changes: [v1.2.0...v2.0.0]({here.page}/compare/v1.2.0...v2.0.0)"""
        assert here.notes() == expected
        here.type("release", "--yes").expect(0, r"v2\.0\.0")
        (made,) = here.some.releases("app")
        assert made["body"] == f"{expected}\n\n<!-- sluice release v2.0.0 -->\n"
        assert here.value("release.notes", "--version", "v2.0.0")["notes"] == expected
        bare = expected.rpartition("\n\n")[0]
        kept = here.some.world.git(here.some.git_of("app"), "show", "main:CHANGELOG.md")
        assert bare in kept
        whole = here.value("release.changelog", "--all")["changelog"]
        assert re.search(rf"^# Changelog\n\n## \[2\.0\.0\] - [0-9-]{{10}}\n\n{re.escape(bare)}\n", whole)
        assert f"- a door by @ann in [#1]({here.page}/pull/1)\n" in whole
        assert f"\n[2.0.0]: {here.page}/compare/v1.2.0...v2.0.0\n" in whole


def test_a_pull_request_whose_commits_say_nothing_is_told_by_its_title(tmp_path: Path) -> None:
    with shop(tmp_path, LABELS, "github") as here:
        here.pull("ann", "Widen the door", "wip", "more", method="merge", labels=["feature"])
        line = f"- Widen the door (2 commits) by @ann in [#1]({here.page}/pull/1)"
        assert here.notes().startswith(f"### What changed\n\n{line}\n\n### New contributors\n")
        whole = here.value("release.changelog", "--all")["changelog"]
        assert whole.startswith(f"# Changelog\n\n## [Unreleased]\n\n### What changed\n\n{line}\n")
        assert f"\n[Unreleased]: {here.page}/compare/v1.2.0...HEAD\n" in whole


def test_the_template_release_note_tells_users_what_people_wrote_for_them(tmp_path: Path) -> None:
    with shop(tmp_path, BOTH, "release-note") as here:
        here.pull("ann", "Mend the door", body="```release-note\nThe door shuts again, see #7.\n```", labels=["bug"])
        here.pull(
            "ben", "Keys", "wip", "wip 2", method="merge", body="~~~release-note\nACTION REQUIRED: turn keys.\n~~~"
        )
        here.pull("ann", "Tidy", body="```release-note\nNONE\n```", labels=["feature"])
        here.pull("cleo", "Hinges", body="```release-note\nHinges are oiled.\nThey do not squeak.\n```", method="merge")
        expected = f"""\
### Action required

- ACTION REQUIRED: turn keys. ([#2]({here.page}/pull/2), @ben)

### Changes

- Hinges are oiled.\\
  They do not squeak. ([#4]({here.page}/pull/4), @cleo)
- The door shuts again, see #7. ([#1]({here.page}/pull/1), @ann)

All changes: [v1.2.0...v2.0.0]({here.page}/compare/v1.2.0...v2.0.0)

Without a release note: 1 change."""
        assert here.notes() == expected
        here.type("release", "--yes").expect(0, r"v2\.0\.0")
        (made,) = here.some.releases("app")
        assert made["body"] == f"{expected}\n\n<!-- sluice release v2.0.0 -->\n"


@pytest.mark.parametrize("template", ["github", "release-note", "keep-a-changelog"])
def test_hostile_titles_and_descriptions_are_words(template: str, tmp_path: Path) -> None:
    with shop(tmp_path, BOTH, template) as here:
        here.pull("ann", f"feat: {HOSTILE}", body=NOTED, labels=["feature", "::error::bug"], method="merge")
        here.pull("ben", HOSTILE, body=NOTED, labels=["bug"])
        answers = [
            here.type(*command.split(), env={"GITHUB_ACTIONS": "true"}).expect(0)
            for command in (
                "release.version --explain",
                "release.plan",
                "release.notes",
                "release.changelog --all",
                "release --yes",
            )
        ]
        (made,) = here.some.releases("app")
        for text in (made["body"], *(answer.out for answer in answers)):
            assert "\x1b" not in text
            assert "everyone" in text
        for line in "".join(answer.said for answer in answers).splitlines():
            assert not re.search(r"^\s*::(?!add-mask::|group::|endgroup::)|##\[", line), line
        body = made["body"]
        assert "@everyone" not in body
        assert not re.search(r"<(?:script|img)", body)
        assert body.count("<!--") == body.count("-->") == 1
        assert not re.search(r"^\s*(?:# |\[here\]:|- an item)", body, re.MULTILINE)
        assert not re.search(r"(?<!\\)\[x\](?!\\)", body)
        here.type("release.verify").expect(0)


def test_with_first_parent_a_merge_speaks_by_its_title_and_its_commits_are_silent(tmp_path: Path) -> None:
    with shop(tmp_path, TRUNK, "github") as here:
        here.pull("ann", "fix: mend the door", "feat!: try", "wip", method="merge")
        here.pull("ben", "Widen the door", "feat!: try again", "wip", method="merge", labels=["enhancement"])
        here.pull("cleo", "docs: tell of doors", method="squash")
        merges = [line.split()[0] for line in here.git("ls-remote", "origin", "refs/heads/main").splitlines()]
        here.git("fetch", "--quiet", "origin")
        first = here.git("rev-parse", "--short=10", f"{merges[0]}^^")
        version, reasons = here.next()
        assert version == "1.3.0"
        assert reasons == [
            (first, "fix: mend the door", "patch", "type fix"),
            ("#2", "Widen the door", "minor", "label enhancement"),
        ]
        lines = [line for line in here.notes().splitlines() if " in [#" in line and line.startswith("- ")]
        assert [re.sub(r"\]\(.*", "", line) for line in lines] == [
            "- tell of doors by @cleo in [#3",
            "- Widen the door by @ben in [#2",
            "- mend the door by @ann in [#1",
            "- @ann, first in [#1",
            "- @ben, first in [#2",
            "- @cleo, first in [#3",
        ]
        assert "\n### Contributors\n\n@ann, @ben, @cleo\n" in here.notes()
        assert here.notes().partition("\n\nAll changes")[0] in here.value("release.changelog", "--all")["changelog"]


def test_copies_on_a_line_have_the_pull_requests_of_their_originals(tmp_path: Path) -> None:
    with shop(tmp_path, BOTH, "github") as here:
        here.git("fetch", "--quiet", "origin")
        here.git("push", "--quiet", "origin", "origin/main:refs/heads/release-1.2")
        squashed = here.merge(here.open("ann", "Mend the door", labels=["bug"]))
        here.pull("ann", "Not for the line", labels=["semver/major"])
        merged = here.merge(here.open("ben", "Oil the hinge", body="```release-note\nNo squeaking.\n```"), "merge")
        here.git("fetch", "--quiet", "origin")
        here.git("checkout", "--quiet", "-B", "line", "origin/release-1.2")
        here.git("config", "user.name", "captain")
        here.git("config", "user.email", "captain@example.org")
        here.git("cherry-pick", "-x", squashed)
        here.git("cherry-pick", "-x", "-m", "1", merged)
        here.git("push", "--quiet", "origin", "HEAD:refs/heads/release-1.2")
        here.some.world.git(here.clone, "fetch", "--quiet", "origin")
        here.some.world.git(here.clone, "checkout", "--quiet", "release-1.2")
        many(here, 100, time.time() - 100_000)  # they fill the first page of what the forge lists
        assert sorted(here.asked("release.version")) == [("", ""), ("/1", ""), ("/3", "")]
        assert here.next() == (
            "1.2.1",
            [
                ("#1", "Mend the door", "patch", "label bug"),
                ("#3", "No squeaking.", "patch", "release note"),
            ],
        )
        told = here.notes()
        assert re.search(rf"^- Oil the hinge by @ben in \[#3\]\({here.page}/pull/3\)$", told, re.MULTILINE)
        assert re.search(rf"^- Mend the door by @ann in \[#1\]\({here.page}/pull/1\)$", told, re.MULTILINE)
        assert "Not for the line" not in told


def picked(here: Shop, *commits: str) -> None:
    """Copies of these, the first one first, on a line that began at the release; the captain's clone is on that."""
    here.git("fetch", "--quiet", "origin")
    here.git("checkout", "--quiet", "-B", "line", BEFORE)
    here.git("config", "user.name", "captain")
    here.git("config", "user.email", "captain@example.org")
    for commit in commits:
        here.git("cherry-pick", "-x", commit)
    here.git("push", "--quiet", "origin", "HEAD:refs/heads/release-1.2")
    here.some.world.git(here.clone, "fetch", "--quiet", "origin")
    here.some.world.git(here.clone, "checkout", "--quiet", "release-1.2")


def test_a_copy_of_a_commit_inside_a_merged_pull_request_has_that(tmp_path: Path) -> None:
    with shop(tmp_path, BOTH, "github") as here:
        said = "```release-note\nNo squeaking.\n```"
        number = here.open("ann", "Oil the hinge", "Take oil", "Oil it (#77)", "Tidy", body=said, labels=["bug"])
        merged = here.merge(number, "merge")
        here.git("fetch", "--quiet", "origin")
        taken, oiled = (here.git("rev-parse", f"{merged}^2~{back}").strip() for back in (2, 1))
        picked(here, taken, oiled)
        found = [
            ("#1", "Oil the hinge", "patch", "label bug"),
            ("#1", "No squeaking.", "patch", "release note"),
        ]
        by_commit = sorted(f"/repos/acme/app/commits/{id_}/pulls" for id_ in (taken, oiled))
        for turn in ("just merged", "long ago"):
            asked = sorted(path for path, _ in here.asked("release.version"))
            assert asked == ["", "/77", *by_commit], turn
            assert here.next() == ("1.2.1", found), turn
            told = here.notes()
            assert re.search(rf"^- Oil the hinge \(2 commits\) by @ann in \[#1\]\({here.page}/pull/1\)$", told, re.M), (
                turn
            )
            many(here, 100, time.time() - 100_000)


def test_a_copy_of_a_squash_that_names_no_number_and_was_merged_long_ago_has_its_pull_request(tmp_path: Path) -> None:
    with shop(tmp_path, LABELS, "github") as here:
        number = here.open("ann", "Mend the door", labels=["bug"])
        with closing(Client(here.some.forge, here.some.forge.token(CAPTAIN))) as captain:
            title = {"merge_method": "squash", "commit_title": "Mend the door"}
            squashed = str(captain.good(captain("PUT", f"{PULLS}/{number}/merge", title))["sha"])
        picked(here, squashed)
        assert here.asked("release.version") == [("", "")], "it is among those that are listed"
        many(here, 100, time.time() - 100_000)  # they fill the first page of what the forge lists
        assert here.asked("release.version") == [("", ""), (f"/repos/acme/app/commits/{squashed}/pulls", "")]
        assert here.next() == ("1.2.1", [("#1", "Mend the door", "patch", "label bug")])
        told = here.notes()
        assert re.search(rf"^- Mend the door by @ann in \[#1\]\({here.page}/pull/1\)$", told, re.MULTILINE)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A project with 250 merged pull requests since its release, and 3 before. Nothing is released in it."""
    with shop(tmp_path_factory.mktemp("busy"), LABELS, ann="Tidy", ben="Tidy", cleo="Tidy") as here:
        many(here, 250)
        before = here.some.refs("app")
        yield here
        assert here.some.refs("app") == before
        assert here.some.releases("app") == []


def many(here: Shop, count: int, begin: float | None = None) -> None:
    """So many squash merges, a minute apart; the last one has a label. Those that were there before are of long ago."""
    old(here)
    bare, forge = here.some.git_of("app"), here.some.forge
    start = int(time.time() if begin is None else begin)
    before = here.some.refs("app")["refs/heads/main"]
    stream = [
        f"commit refs/heads/main\ncommitter ann <ann@users.noreply.localhost> {start + 60 * place} +0000\n"
        f"data 10\nTidy again\nM 644 inline n{place}.txt\ndata 1\nx\n"
        for place in range(count)
    ]
    stream[0] = stream[0].replace("\nM ", f"\nfrom {before}\nM ")
    here.some.world.git(bare, "fast-import", "--quiet", stdin="".join(stream))
    commits = here.some.world.git(bare, "log", "--reverse", "--format=%H", f"{before}..main").split()
    pattern = {key: value for key, value in forge.store.all("pull")[0].items() if key not in ("id", "repo")}
    for place, (parent, commit) in enumerate(pairwise([before, *commits])):
        moment = datetime.fromtimestamp(start + 60 * place, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        own = {"number": 1001 + place, "merge_commit_sha": commit, "updated_at": moment, "merged_at": moment}
        labels = {"labels": ["feature"] if place == count - 1 else []}
        ends = {"head_sha": commit, "base_sha": parent}
        forge.store.add("pull", pattern | own | ends | labels, forge.find("acme/app")["id"])


def old(here: Shop) -> None:
    """Nobody touched what is merged for years."""
    for one in here.some.forge.store.all("pull"):
        here.some.forge.store.change(one["id"], updated_at="2020-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "command",
    ["release.version --explain", "release.notes", "release.plan", "release.changelog", "release.changelog --all"],
)
def test_two_hundred_and_fifty_pull_requests_come_with_three_pages_and_the_first_once_more(
    command: str, busy: Shop
) -> None:
    assert busy.asked(*command.split()) == [("", ""), ("", "2"), ("", "3"), ("", "")]


def test_the_label_of_one_in_two_hundred_and_fifty_is_not_missed(busy: Shop) -> None:
    assert busy.next() == ("1.3.0", [("#1250", "Tidy", "minor", "label feature")])


def test_pull_requests_of_earlier_releases_are_not_asked_for(tmp_path: Path) -> None:
    with shop(tmp_path, LABELS, ann="Tidy") as here:
        many(here, 250)
        here.some.world.git(here.some.git_of("app"), "tag", "v1.3.0", "main~3")
        assert here.asked("release.version") == [("", "")]
        assert here.next()[0] == "1.4.0"


def test_nobody_is_asked_where_nobody_wants_to_know(tmp_path: Path) -> None:
    with shop(tmp_path, CONVENTIONAL, ann="feat: a door") as here:
        here.pull("ben", "fix: mend it", labels=["semver/major"])
        for command in ("release.version", "release.notes", "release.plan", "release.changelog --all", "release --yes"):
            assert here.asked(*command.split()) == []
        (made,) = here.some.releases("app")
        assert (made["tag_name"], f"- mend it ([#2]({here.page}/pull/2))" in made["body"]) == ("v1.2.1", True)


def unreachable() -> dict[str, str]:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return {"GITHUB_API_URL": f"http://127.0.0.1:{taken.getsockname()[1]}/api/v3"}


FAULTS: dict[str, tuple[tuple[Fault, ...], tuple[str, ...]]] = {
    "forbidden": ((Fault("GET", PULLS, nth=0, status=403, body={"message": "Not by this token"}),), ("pull_requests: read", "Not by this token")),
    "not found": ((Fault("GET", PULLS, nth=0, status=404, body={"message": "Not Found"}),), ("check that acme/app is", "pull_requests: read")),
    "forbidden in the middle": ((Fault("GET", PULLS, nth=2, status=403, body={"message": "Not now"}),), ("Not now",)),
    "not found in the middle": ((Fault("GET", PULLS, nth=3, status=404, body={"message": "Not Found"}),), ("acme/app",)),
    "something else": ((Fault("GET", PULLS, nth=0, status=200, html=True),), ("pull requests of acme/app",)),
}  # fmt: skip
COMMANDS = ("release.version", "release.plan", "release --yes")


@pytest.mark.parametrize("row", FAULTS)
def test_nothing_is_decided_where_the_forge_does_not_tell_all(row: str, busy: Shop) -> None:
    faults, said = FAULTS[row]
    for command in COMMANDS:
        busy.some.forge.faults(*faults)
        try:
            answer = busy.type(*command.split()).expect(1, "^error: cannot list the pull requests of acme/app", *said)
        finally:
            busy.some.forge.no_faults()
        assert answer.out == ""


def test_nothing_is_decided_where_the_forge_cannot_be_reached(busy: Shop) -> None:
    for command in ("release.version", "release --yes", "release.changelog --all"):
        answer = busy.type(*command.split(), env=unreachable()).expect(1, "error: ", "127.0.0.1")
        assert answer.out == ""


def test_a_number_that_is_forbidden_ends_the_run_and_one_that_nobody_has_does_not(tmp_path: Path) -> None:
    with shop(tmp_path, LABELS, ann="Tidy") as here:
        many(here, 100, time.time() - 100_000)
        here.some.world.git(here.some.git_of("app"), "tag", "v1.3.0", "main")
        here.some.commit("app", {"a.txt": ""}, "Mend (#1)")
        here.some.commit("app", {"b.txt": ""}, "Mend more (#77)")
        here.some.commit("app", {"c.txt": ""}, "Nothing is known of it")
        assert sorted(here.asked("release.version")) == [("", ""), ("/1", ""), ("/77", "")]
        here.some.forge.faults(Fault("GET", f"{PULLS}/1", nth=0, status=403, body={"message": "Not by this token"}))
        answer = here.type("release.version")
        answer.expect(1, "cannot look at pull request 1 of acme/app", "pull_requests: read")
        assert answer.out == ""


@pytest.mark.parametrize(
    ("granted", "code"), [({"contents": "write"}, 1), ({"contents": "write", "pull_requests": "read"}, 0)]
)
def test_a_token_without_the_right_to_read_pull_requests_is_named(
    granted: dict[str, str], code: int, tmp_path: Path
) -> None:
    with shop(tmp_path, LABELS) as here:
        here.pull("ann", "Mend the door", labels=["bug"])
        here.some.world.git(here.clone, "pull", "--quiet")
        here.some.forge.repository("acme/app", "main", push=[CAPTAIN], private=True)
        token = here.some.forge.token(CAPTAIN, repositories=["acme/app"], permissions=granted)
        answer = here.some.invoke(here.clone, "release.version", env={"SLUICE_GITHUB_TOKEN": token})
        said = ("cannot list the pull requests of acme/app", "SLUICE_GITHUB_TOKEN", "give it pull_requests: read there")
        answer.expect(code, *(said if code else (r"^1\.2\.1  patch",)))
        assert answer.out == "" or not code
