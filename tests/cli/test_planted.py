"""A planted record: whoever may push to refs/sluice/* alone chooses nothing that reaches a branch, a tag or a disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.world import CONFIG, Answer, World, made

LINE, MAIN, TAG = "refs/sluice/0.1", "refs/heads/main", "refs/tags/v0.1.0"
NO_TAGS = "#!/bin/sh\ncase $1 in refs/tags/*) echo no tags today >&2; exit 1;; esac\n"
TEXT = CONFIG.replace('output = "{output}"', 'output = "dist"')
TAGS_ONLY = TEXT.replace('mode = "push"', 'mode = "none"').replace('file = "CHANGELOG.md"', 'file = ""')
EVIL = {"path": "app.txt", "start": 0, "end": 3, "text": "EVIL"}

Json = dict[str, Any]
Plant = Callable[["Thief"], None]


class Thief:
    """A clone that can read everything and push records, and the record in it as it was found."""

    def __init__(self, world: World) -> None:
        self.world, self.clone = world, world.clone("thief")
        world.git(self.clone, "fetch", "--quiet", "origin", LINE)
        self.tip = world.git(self.clone, "rev-parse", "FETCH_HEAD")
        self.release, self.state, self.evidence = (
            self.read(name) for name in ("release.json", "state.json", "evidence.json")
        )

    def read(self, name: str) -> Json:
        value: Json = json.loads(self.world.git(self.clone, "show", f"{self.tip}:{name}"))
        return value

    def plant(self, ref: str = LINE, parents: tuple[str, ...] = (), **texts: object) -> None:
        """Put other files into a record: text as it is, anything else as JSON."""
        tree = {line.split("\t")[1]: line for line in self.git("ls-tree", self.tip).split("\n")}
        for name, text in texts.items():
            blob = self.git("hash-object", "-w", "--stdin", stdin=text if isinstance(text, str) else json.dumps(text))
            tree[f"{name}.json"] = f"100644 blob {blob}\t{name}.json"
        name = self.git("mktree", stdin="\n".join(tree.values()) + "\n")
        options = [word for parent in (self.tip, *parents) for word in ("-p", parent)]
        self.git("push", "--quiet", "origin", f"{self.git('commit-tree', name, *options, '-m', 'planted')}:{ref}")

    def commit(self, release: Mapping[str, Any]) -> str:
        """The commit that a release describes, made as the tool makes it."""
        self.git("checkout", "--quiet", "--detach", release["base"])
        for edit in sorted(release["edits"], key=lambda edit: -int(edit["start"])):
            path = self.clone / edit["path"]
            content = path.read_text() if path.exists() else ""
            path.write_text(content[: edit["start"]] + edit["text"] + content[edit["end"] :])
        self.git("add", "--all")
        stamp = f"{int(datetime.fromisoformat(release['date']).timestamp())} +0000"
        who = release["author"]
        env = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in
               (("NAME", who["name"]), ("EMAIL", who["email"]), ("DATE", stamp))}  # fmt: skip
        message = f"chore(release): {release['tag']}"
        made = self.world.shell(
            self.clone, f'git commit-tree "$(git write-tree)" -p {release["base"]} -m "{message}"', env
        )
        return made.expect(0).out.strip()

    def git(self, *args: str, stdin: str = "") -> str:
        return self.world.git(self.clone, *args, stdin=stdin)


def begun(folder: Path, text: str) -> World:
    """A release that has begun and could not land."""
    world = made(folder / "world", text)
    hook = world.refuse("upstream", NO_TAGS, "update")
    world.invoke(world.clone("captain"), "release", "--yes").expect(1, "no tags today")
    hook.unlink()
    return world


@pytest.fixture(scope="module")
def begun_once(tmp_path_factory: pytest.TempPathFactory) -> World:
    return begun(tmp_path_factory.mktemp("begun"), TEXT)


@pytest.fixture
def world(begun_once: World, tmp_path: Path) -> World:
    """The same begun release in remotes of its own."""
    shutil.copytree(begun_once.folder / "remotes", tmp_path / "remotes")
    return World(tmp_path, begun_once.environment)


@pytest.fixture
def thief(world: World) -> Thief:
    return Thief(world)


def harmless(world: World, thief: Thief, before: dict[str, dict[str, str]], answer: Answer) -> None:
    """Nothing was written at all, or the very release was made that main calls for."""
    answer.expect(answer.code)
    if answer.code in (1, 3):
        assert world.every_ref() == before, answer
        return
    base, made, refs = thief.release["base"], world.git(world.remote(), "rev-parse", f"{TAG}^{{commit}}"), world.refs()
    moved = {ref for ref, commit in refs.items() if before["upstream.git"].get(ref) != commit}
    assert (answer.code, moved) == (0, {LINE, MAIN, TAG}), answer
    assert (refs[MAIN], world.git(world.remote(), "rev-parse", f"{made}~1")) == (made, base), answer
    assert world.git(world.remote(), "diff", "--name-only", base, made) == "CHANGELOG.md", answer


def another_commit(thief: Thief) -> None:
    evil = thief.commit({**thief.release, "edits": [EVIL]})
    thief.plant(parents=(evil,), state={**thief.state, "commit": evil})


def other_edits(thief: Thief) -> None:
    release = {**thief.release, "edits": [*thief.release["edits"], EVIL]}
    evil = thief.commit(release)
    thief.plant(parents=(evil,), release=release, state={**thief.state, "commit": evil})


def no_changelog(thief: Thief) -> None:
    release = {**thief.release, "edits": [], "mode": "none"}
    thief.plant(release=release, state={**thief.state, "commit": release["base"]})


def other_base(thief: Thief) -> None:
    """A base beside the branch, and the release's own edits on it."""
    base = thief.commit({**thief.release, "edits": [EVIL]})
    release = {**thief.release, "base": base}
    evil = thief.commit(release)
    thief.plant(parents=(evil,), release=release, state={**thief.state, "commit": evil})


def other_branch(thief: Thief) -> None:
    thief.plant(release={**thief.release, "branch": "production"})


def other_number(thief: Thief) -> None:
    release = {**thief.release, "version": "6.6.6", "tag": "v6.6.6"}
    commit = thief.commit(release)
    thief.plant(parents=(commit,), release=release, state={**thief.state, "commit": commit})


def other_tag(thief: Thief) -> None:
    release = {**thief.release, "tag": "stable"}
    commit = thief.commit(release)
    thief.plant(parents=(commit,), release=release, state={**thief.state, "commit": commit})


def test_the_commit_that_a_thief_makes_is_the_one_that_the_tool_makes(thief: Thief) -> None:
    assert thief.commit(thief.release) == thief.state["commit"]


@pytest.mark.parametrize(
    "plant", [another_commit, other_edits, no_changelog, other_number, other_tag], ids=lambda plant: plant.__name__
)
def test_what_the_project_would_not_make_reaches_no_branch_and_no_tag(plant: Plant, world: World, thief: Thief) -> None:
    plant(thief)
    before = world.every_ref()
    night = world.clone("night")
    world.invoke(night, "release", "--yes").expect(3, "record-differs", r"release\.abandon")
    world.invoke(night, "release.status").expect(0, r"release\.abandon")
    assert world.every_ref() == before
    harmless(world, thief, before, world.invoke(night, "release", "--yes", "--version", "v0.1.0"))


@pytest.mark.parametrize("plant", [other_base, other_branch], ids=lambda plant: plant.__name__)
@pytest.mark.parametrize("asked", [[], ["--version", "v0.1.0"]], ids=["what has begun", "the version"])
def test_a_record_does_not_choose_where_a_release_is_made_or_lands(
    asked: list[str], plant: Plant, world: World, thief: Thief
) -> None:
    world.git(world.remote(), "update-ref", "refs/heads/production", thief.release["base"])
    plant(thief)
    before = world.every_ref()
    harmless(world, thief, before, world.invoke(world.clone("night"), "release", "--yes", *asked))


def test_a_base_that_the_branch_does_not_have_is_not_released_where_only_tags_are_made(tmp_path: Path) -> None:
    world = begun(tmp_path, TAGS_ONLY)
    thief = Thief(world)
    evil = thief.commit({**thief.release, "edits": [EVIL]})
    thief.plant(parents=(evil,), release={**thief.release, "base": evil}, state={**thief.state, "commit": evil})
    before = world.every_ref()
    world.invoke(world.clone("night"), "release", "--yes").expect(3, "base-gone|record-differs", r"release\.abandon")
    assert world.every_ref() == before


def test_what_the_configuration_says_is_not_taken_from_a_record(world: World, thief: Thief) -> None:
    world.git(world.folder, "init", "--quiet", "--bare", str(world.remote("loot")))
    thief.git("push", "--quiet", str(world.remote("loot")), "HEAD:refs/heads/main")
    trace, stolen = world.folder / "pwned", world.folder / "stolen"
    spoiled = ["sh", "-c", f"touch {trace}"]
    release = thief.release
    thief.plant(
        release={
            **release,
            "start": "tag",
            "deadline": 0,
            "output": str(stolen),
            "gates": [{"name": "tests", "run": spoiled}],
            "artifacts": [{"name": "app-amd64.txt", "run": spoiled}],
            "downstreams": [{"name": "first", "repository": "../loot.git", "branch": "main", "tag": "v0.1.0"}],
        }
    )
    night = world.clone("night")
    world.invoke(night, "release", "--yes").expect(0)
    assert not trace.exists()
    assert not stolen.exists()
    assert TAG not in world.refs("loot")
    assert TAG in world.refs("first")
    assert TAG in world.refs("second")
    assert (night / "dist" / "v0.1.0" / "app-arm64.txt").read_text() == "0.1.0 linux/arm64"


JUNK: dict[str, Json] = {
    "release.json is no JSON": {"release": "{"},
    "release.json is a list": {"release": []},
    "release.json is empty": {"release": {}},
    "evidence.json is no JSON": {"evidence": "{"},
    "evidence.json is a text": {"evidence": {"build app-amd64.txt": "x"}},
    "evidence.json is a number": {"evidence": {"output": {"sha256": 7}}},
    "state.json is no JSON": {"state": "{"},
}
ODD: dict[str, Callable[[Thief], Json]] = {
    "a date that is none": lambda thief: {"release": {**thief.release, "date": "nope"}},
    "a base that is an option": lambda thief: {
        "release": {**thief.release, "base": f"--output={thief.world.folder / 'pwned'}"}
    },
    "a commit that is an option": lambda thief: {"state": {**thief.state, "commit": "--x"}},
    "a commit that is nowhere": lambda thief: {"state": {**thief.state, "commit": "f" * 40}},
    "a tag of two lines": lambda thief: {"release": {**thief.release, "tag": "--x y\nz"}},
    "an edit of git's own files": lambda thief: {
        "release": {**thief.release, "edits": [{**EVIL, "path": ".git/hooks/post-merge"}]}
    },
}


@pytest.mark.parametrize("texts", JUNK.values(), ids=JUNK)
def test_a_record_that_cannot_be_read_is_said_and_not_written_over(texts: Json, world: World, thief: Thief) -> None:
    thief.plant(**texts)
    before = world.every_ref()
    night = world.clone("night")
    answer = world.invoke(night, "release", "--yes")
    answer.expect(answer.code, "record", "refs/sluice/0.1", "git show")
    assert answer.code in (1, 3), answer
    assert world.every_ref() == before
    world.invoke(night, "release.status").expect(0, r"0\.1 .*unreadable")


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_a_record_of_odd_values_does_no_harm_and_trips_nothing(
    odd: Callable[[Thief], Json], world: World, thief: Thief
) -> None:
    thief.plant(**odd(thief))
    before = world.every_ref()
    night = world.clone("night")
    world.invoke(night, "release.status").expect(0)
    harmless(world, thief, before, world.invoke(night, "release", "--yes"))
    assert not (world.folder / "pwned").exists()


JUNK_REFS = {
    "a commit": lambda thief: "HEAD",
    "a tree": lambda thief: "HEAD^{tree}",
    "a file": lambda thief: "HEAD:app.txt",
}


@pytest.mark.parametrize("junk", JUNK_REFS.values(), ids=JUNK_REFS)
def test_junk_beside_a_line_hinders_no_other_line(junk: Callable[[Thief], str], world: World, thief: Thief) -> None:
    thief.git("push", "--quiet", "origin", f"{thief.git('rev-parse', junk(thief))}:refs/sluice/9.9")
    night = world.clone("night")
    world.invoke(night, "release.plan").expect(0, r"v0\.1\.0")
    world.invoke(night, "release.status").expect(0, r"v0\.1\.0 begun", r"9\.9 .*unreadable")
    world.invoke(night, "release", "--yes").expect(0)
    assert world.refs()[TAG] == world.refs()[MAIN]
