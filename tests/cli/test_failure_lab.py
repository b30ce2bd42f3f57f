"""What can go wrong on the way, on real remotes: the run says so, and the same command finishes it afterwards."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.world import CONFIG, World, made

TAG, TAG_REF, MAIN = "v0.1.0", "refs/tags/v0.1.0", "refs/heads/main"
LIES = r"(?i)nothing to do|already (been )?released|no relevant changes"
FILES = ["app-amd64.txt", "app-arm64.txt", "release.json", "sha256sum-amd64.txt", "sha256sum-arm64.txt"]

# A hook for one ref: `update` is asked for each, after what was pushed is there.
REFUSING_ONE = "#!/bin/sh\ncase $1 in {ref}) echo 'protected here' >&2; exit 1;; esac\n"
# Once a ref of that name has come in, do something.
ONCE_IN = "#!/bin/sh\nwhile read old new ref; do case $ref in {ref}) {act};; esac; done\n"
# The server dies when the ref is moved, before (the ref transaction's hook) or after it has answered.
DYING = '#!/bin/sh\n{when}\nwhile read old new ref; do case $ref in {ref}) [ -e died ] || {{ : > died; kill -9 "$PPID"; }};; esac; done\n'


@dataclass(frozen=True)
class Row:
    """A cause, how it goes away, and what the release says of it. `written`: whether the record had begun before."""

    cause: Callable[[World], object]
    mend: Callable[[World], object]
    code: int
    says: tuple[str, ...]
    written: bool = True
    config: str = CONFIG


def refusing(name: str, ref: str) -> Callable[[World], object]:
    return lambda world: world.refuse(name, REFUSING_ONE.format(ref=ref), "update")


def unhooked(name: str, hook: str = "update") -> Callable[[World], object]:
    return lambda world: (world.remote(name) / "hooks" / hook).unlink()


def once_in(ref: str, act: str) -> Callable[[World], object]:
    return lambda world: world.refuse("upstream", ONCE_IN.format(ref=ref, act=act), "post-receive")


def both(*acts: Callable[[World], object]) -> Callable[[World], object]:
    return lambda world: [act(world) for act in acts]


def occupied(world: World) -> None:
    (world.output / TAG).mkdir(parents=True)
    (world.output / TAG / "notes.txt").write_text("mine\n")


def freed(world: World) -> None:
    (world.output / TAG / "notes.txt").rename(world.folder / "moved-away.txt")


def tag_deleted(name: str) -> Callable[[World], object]:
    def mend(world: World) -> None:
        for hook in ("update", "post-receive"):
            (world.remote(name) / "hooks" / hook).unlink(missing_ok=True)
        world.git(world.remote(name), "update-ref", "-d", TAG_REF)

    return mend


def tagged_off_the_branch(name: str) -> Callable[[World], object]:
    """A tag of that name on a commit that no branch has."""

    def cause(world: World) -> None:
        clone = world.clone("stranger", name)
        world.commit(clone, {"stray": "stray\n"}, "feat: stray", push=False)
        world.git(clone, "push", "--quiet", "origin", f"HEAD:{TAG_REF}")

    return cause


def renamed(old: str, new: str) -> Callable[[World], object]:
    return lambda world: world.git(world.remote("first"), "branch", "--move", old, new)


def moved(old: str, new: str) -> Callable[[World], object]:
    return lambda world: (world.folder / old).rename(world.folder / new)


FLAKY = CONFIG.replace('"printf', '"test -e {output}.ready && printf')
PUSHED = rf"{TAG_REF} \(.*\)"
ROWS = {
    "the branch is protected": Row(
        refusing("upstream", MAIN), unhooked("upstream"), 1, (r"upstream\.git refused", MAIN, "protected here", "run the same command again")
    ),
    "the tag is protected": Row(
        refusing("upstream", "refs/tags/*"), unhooked("upstream"), 1, (r"upstream\.git refused", PUSHED, "protected here", "run the same command again")
    ),
    "the record's ref is refused": Row(
        refusing("upstream", "refs/sluice/*"), unhooked("upstream"), 1,
        (r"upstream\.git refused refs/sluice/0\.1", "protected here", "run the same command again"), written=False,
    ),
    "the whole remote is read-only": Row(
        lambda world: world.refuse("upstream"), unhooked("upstream", "pre-receive"), 1,
        (r"upstream\.git refused", "not today", "run the same command again"), written=False,
    ),
    "the record is refused once the tag is out": Row(
        once_in("refs/tags/*", "printf '#!/bin/sh\\nexit 1\\n' > hooks/update; chmod +x hooks/update"),
        both(unhooked("upstream", "post-receive"), unhooked("upstream")), 1,
        (r"refused refs/sluice/0\.1", "run the same command again"),
    ),
    "somebody takes the tag meanwhile": Row(
        once_in("refs/sluice/*", f"git update-ref {TAG_REF} main~1"), tag_deleted("upstream"), 3,
        (f"{TAG} exists on", r"invoke release\.abandon"),
    ),
    "an artifact's command fails": Row(
        lambda world: None, lambda world: (world.folder / "out.ready").touch(), 1,
        (r"artifact app-a(md|rm)64\.txt", "exit code 1", r"its log is .*\.log"), config=FLAKY,
    ),
    "a gate fails": Row(
        lambda world: None, lambda world: (world.folder / "out.ready").touch(), 1,
        ("gate tests", "exit code 1", r"its log is .*\.log"), written=False,
        config=CONFIG.replace('"test -f app.txt"', '"test -e {output}.ready"'),
    ),
    "the output directory is a file": Row(
        lambda world: world.output.touch(), lambda world: world.output.unlink(), 3,
        ("out is a file", r"\[release\] output"), written=False,
    ),
    "the output directory holds a foreign file": Row(
        occupied, freed, 3, (r"notes\.txt", f"no part of {TAG}", "move it away"), written=False
    ),
    "the output directory is taken once the tag is out": Row(
        once_in("refs/tags/*", f'mkdir -p ../../out/{TAG} && : > ../../out/{TAG}/notes.txt'),
        both(unhooked("upstream", "post-receive"), freed), 3,
        (r"notes\.txt", f"no part of {TAG}", "move it away"),
    ),
    "a downstream is read-only": Row(
        lambda world: world.refuse("first"), unhooked("first", "pre-receive"), 1,
        (r"first\.git refused", "not today", "run the same command again"),
    ),
    "the last downstream protects its tags": Row(
        refusing("second", "refs/tags/*"), unhooked("second"), 1,
        (r"second\.git refused", "protected here", "run the same command again"),
    ),
    "a downstream has no such branch": Row(
        renamed("main", "trunk"), renamed("trunk", "main"), 3, ("first has no branch main", r"\[\[downstream\]\] branch"), written=False
    ),
    "a downstream has the tag elsewhere": Row(
        tagged_off_the_branch("first"), tag_deleted("first"), 3,
        (f"{TAG} of first is on", "not in main", "never moved"), written=False,
    ),
    "a downstream cannot be reached": Row(
        moved("remotes/first.git", "gone.git"), moved("gone.git", "remotes/first.git"), 1,
        (r"cannot read .*first\.git", "check the address"), written=False,
    ),
    "a downstream vanishes once the tag is out": Row(
        once_in("refs/tags/*", "mv ../first.git ../../gone.git"),
        both(unhooked("upstream", "post-receive"), moved("gone.git", "remotes/first.git")), 1,
        (r"cannot read .*first\.git", "check the address"),
    ),
}  # fmt: skip


def complete(world: World, base: str) -> None:
    """The world as an undisturbed release leaves it: one commit, one tag a repository, the very files, one ending."""
    upstream = world.refs()
    assert {ref for ref in upstream if not ref.startswith("refs/sluice/")} == {MAIN, TAG_REF}
    assert upstream[TAG_REF] == upstream[MAIN]
    assert world.git(world.remote(), "rev-list", f"{base}..main") == upstream[MAIN]
    for name in ("first", "second"):
        refs = world.refs(name)
        assert set(refs) == {MAIN, TAG_REF}
        assert refs[TAG_REF] == refs[MAIN]
    assert sorted(path.name for path in (world.output / TAG).iterdir()) == FILES
    listed = json.loads((world.output / TAG / "release.json").read_text())
    assert listed["commit"] == upstream[TAG_REF]
    for artifact in listed["artifacts"]:
        content = (world.output / TAG / artifact["name"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (artifact["sha256"], artifact["size"])
    assert state(world)["outcome"] == "finished"


def state(world: World) -> Any:
    return json.loads(world.git(world.remote(), "show", "refs/sluice/0.1:state.json"))


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_stopped_a_release_is_said_and_the_same_command_finishes_it_when_that_is_gone(
    row: Row, tmp_path: Path
) -> None:
    world = made(tmp_path, row.config)
    clone = world.clone("captain")
    base = world.git(clone, "rev-parse", "HEAD")
    row.cause(world)
    before = world.every_ref()

    first = world.invoke(clone, "release", "--yes").expect(row.code, *row.says)
    assert not row.written or "refs/sluice/0.1" in world.refs(), first
    assert row.written or world.every_ref() == before, first
    half_done = world.every_ref()

    second = world.invoke(clone, "release", "--yes").expect(row.code, *row.says)
    assert not re.search(LIES, second.said)
    assert {name: set(refs) for name, refs in world.every_ref().items()} == {
        name: set(refs) for name, refs in half_done.items()
    }

    row.mend(world)
    world.invoke(clone, "release", "--yes").expect(0)
    complete(world, base)
    assert world.git(clone, "rev-parse", "HEAD", f"{TAG}^{{commit}}") == "\n".join([world.refs()[MAIN]] * 2)
    assert world.git(clone, "status", "--porcelain") == ""


@pytest.mark.parametrize("when", ["before it answers", "after it has answered"])
@pytest.mark.parametrize(
    ("name", "ref"), [("upstream", "refs/sluice/*"), ("upstream", "refs/tags/*"), ("first", "refs/tags/*")]
)
def test_a_remote_that_dies_when_it_has_accepted_is_looked_at_again_and_not_asked_twice(
    when: str, name: str, ref: str, tmp_path: Path
) -> None:
    world = made(tmp_path)
    clone = world.clone("captain")
    base = world.git(clone, "rev-parse", "HEAD")
    hook = "reference-transaction" if when == "before it answers" else "post-receive"
    only = '[ "$1" = committed ] || exit 0' if hook == "reference-transaction" else ""
    world.refuse(name, DYING.format(when=only, ref=ref), hook)
    world.invoke(clone, "release", "--yes").expect(0)
    assert (world.remote(name) / "died").exists()
    complete(world, base)


def test_a_tag_that_somebody_else_made_is_given_up_as_advised_and_the_next_version_is_released(tmp_path: Path) -> None:
    world = made(tmp_path)
    clone = world.clone("captain")
    once_in("refs/sluice/*", f"git update-ref {TAG_REF} main~1")(world)
    world.invoke(clone, "release", "--yes").expect(3, r"invoke release\.abandon")
    unhooked("upstream", "post-receive")(world)
    taken = world.refs()[TAG_REF]
    world.invoke(clone, "release.abandon", "--yes", "--reason", "the tag was taken").expect(0, f"{TAG} is given up")
    world.invoke(clone, "release", "--yes").expect(0)
    refs = world.refs()
    assert refs[TAG_REF] == taken
    assert refs["refs/tags/v0.2.0"] == refs[MAIN]


def test_one_bad_downstream_does_not_hold_those_that_do_not_need_it(tmp_path: Path) -> None:
    world = made(tmp_path, CONFIG.replace('after = ["first"]', ""))
    clone = world.clone("captain")
    world.refuse("first")
    world.invoke(clone, "release", "--yes").expect(1, "not today")
    assert TAG_REF in world.refs("second")
    assert TAG_REF not in world.refs("first")
    assert state(world)["outcome"] == "begun"


def test_another_captain_finishes_in_another_clone_what_was_refused(tmp_path: Path) -> None:
    world = made(tmp_path)
    base = world.git(world.clone("captain"), "rev-parse", "HEAD")
    hook = world.refuse("second")
    world.invoke(world.folder / "captain", "release", "--yes").expect(1)
    hook.unlink()
    world.invoke(world.clone("night"), "release", "--yes").expect(0)
    complete(world, base)


def test_a_clone_of_depth_one_is_refused_with_what_to_type_and_goes_on_after_that(tmp_path: Path) -> None:
    world = made(tmp_path)
    clone = world.clone("captain", "upstream", "--depth=1")
    before = world.every_ref()
    for command in ("release.plan", "release"):
        world.invoke(clone, command).expect(3, "shallow", "git fetch --unshallow")
    assert world.every_ref() == before
    world.git(clone, "fetch", "--quiet", "--unshallow", "--tags")
    world.invoke(clone, "release", "--yes").expect(0)
    assert TAG_REF in world.refs()


@pytest.mark.slow
def test_a_push_that_broke_off_before_anything_arrived_is_not_called_done(tmp_path: Path) -> None:
    world = made(tmp_path)
    clone = world.clone("captain")
    base = world.git(clone, "rev-parse", "HEAD")
    dying = '#!/bin/sh\nwhile read old new ref; do case $ref in refs/sluice/*) ;; *) kill -9 "$PPID";; esac; done\n'
    hook = world.refuse("upstream", dying)
    answer = world.invoke(clone, "release", "--yes", "--format", "json").expect(1)
    told = next(step["detail"] for step in answer.value["steps"] if step["name"] == "tag")
    assert "was done" not in told
    assert "answer" in told
    assert "run the same command again" in told
    hook.unlink()
    world.invoke(clone, "release", "--yes").expect(0)
    complete(world, base)
