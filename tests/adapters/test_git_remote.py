"""A remote is read as it is and written to all or nothing, whatever its names and contents."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from release.adapters.git.remote import GitRemote, quoted, store
from release.adapters.git.run import RUNNING, Runner
from release.app import cleared
from release.core.model import Person, Splice
from release.errors import Refused, ReleaseError, Uncertain, Unseen
from tests.world import World

ADA = Person("Ada", "ada@example.org")
DATE = "2026-02-03T04:05:06+00:00"
MAIN = "refs/heads/main"
NONE = "0" * 39 + "1"
HOSTILE = ("-x", "v1\u2028", "a'b", 'a"b', "$(touch+x)", "`x`", "a;b|c", "${{x}}", "%0A", "<x>", "ü/日本", "v1.0.0", "c1\u009b31m")  # fmt: skip


@pytest.fixture
def remote(world: World) -> GitRemote:
    return opened(world)


def opened(
    world: World, name: str = "store", shallow: bool = False, config: Sequence[tuple[str, str]] = ()
) -> GitRemote:
    """The upstream behind an empty store."""
    return GitRemote(world.remote().as_uri(), Runner(store(world.folder / f"{name}.git"), config=config), shallow)


def a_store(world: World, name: str = "store") -> Path:
    return world.folder / f"{name}.git"


def head(world: World) -> str:
    return world.refs()[MAIN]


def there(world: World, remote: GitRemote) -> str:
    """The head of main, its history brought here."""
    remote.bring([MAIN], [head(world)])
    return head(world)


def shown(world: World, commit: str, path: str, name: str = "store") -> str:
    return world.git(a_store(world, name), "show", f"{commit}:{path}")


def raw(world: World, place: Path, kind: str, content: bytes) -> str:
    """An object as it is, broken or not."""
    done = subprocess.run(
        ["git", "-C", str(place), "hash-object", "-t", kind, "-w", "--literally", "--stdin"],
        input=content, env=world.environment, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout.decode().strip()


def grown(world: World, branch: str, count: int, start: str = "") -> str:
    """A branch of many commits on the upstream; its tip."""
    lines = []
    for number in range(count):
        lines += [f"commit refs/heads/{branch}", f"committer A <a@b> {1_700_000_000 + number} +0000"]
        lines += [f"data {len(str(number))}", f"{number}"]
        lines += [f"from {start}"] if start and number == 0 else []
        lines += ["M 644 inline n", f"data {len(str(number))}", f"{number}", ""]
    world.git(world.remote(), "fast-import", "--quiet", stdin="\n".join(lines) + "\n")
    return world.refs()[f"refs/heads/{branch}"]


# What is there.


def test_a_lightweight_and_an_annotated_tag_show_the_commit_that_they_point_at(world: World, remote: GitRemote) -> None:
    bare, commit = world.remote(), head(world)
    world.git(bare, "tag", "light", commit)
    world.git(bare, "tag", "-m", "x", "heavy", commit)
    world.git(bare, "tag", "-m", "x", "of-a-tag", "heavy")
    tree = world.git(bare, "rev-parse", f"{commit}^{{tree}}")
    world.git(bare, "tag", "-m", "x", "of-a-tree", tree)
    refs = remote.refs()
    assert refs.tags == {"light": commit, "heavy": commit, "of-a-tag": commit, "of-a-tree": tree}
    assert refs.heads == {"main": commit}
    assert remote.refs("refs/tags/heavy", "refs/tags/none").tags == {"heavy": commit}


def test_records_are_told_apart_from_other_refs(world: World, remote: GitRemote) -> None:
    bare, commit = world.remote(), head(world)
    for name in (
        "refs/sluice/0.1",
        "refs/sluice/channels/stable",
        "refs/sluiced/x",
        "refs/pull/1/head",
        "refs/heads/sluice/1",
    ):
        world.git(bare, "update-ref", name, commit)
    refs = remote.refs()
    assert refs.records == {"0.1": commit}
    assert set(refs.heads) == {"main", "sluice/1"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_read_brought_dated_and_pushed_as_it_is(world: World, remote: GitRemote, name: str) -> None:
    bare, commit = world.remote(), head(world)
    for ref in (f"refs/tags/{name}", f"refs/heads/{name}"):
        world.git(bare, "update-ref", ref, commit)
    refs = remote.refs()
    assert refs.tags == {name: commit}
    assert refs.heads == {name: commit, "main": commit}
    assert remote.refs(f"refs/tags/{name}").tags == {name: commit}
    remote.bring([f"refs/tags/{name}", f"refs/heads/{name}"], [commit])
    assert remote.reachable(commit, refs.tags) == {name}
    (tag,) = remote.dates(refs.tags)
    assert tag.name == name
    assert tag.date
    assert remote.tip(name) == commit
    assert remote.holds(name, commit)
    made = remote.commit(commit, [Splice("x", 0, 0, "x")], "x", ADA, DATE)
    remote.push((f"refs/heads/{name}", commit, made), (f"refs/tags/{name}2", "", made))
    assert world.refs()[f"refs/heads/{name}"] == world.refs()[f"refs/tags/{name}2"] == made
    assert sorted(path.name for path in world.folder.iterdir()) == ["remotes", "seed-upstream", "store.git"]


def named_in_latin(world: World, *refs: bytes) -> None:
    """Refs with names that are not UTF-8, on a commit that nothing else points at."""
    tree = world.git(world.remote(), "rev-parse", "main^{tree}")
    commit = world.git(world.remote(), "commit-tree", "-m", "aside", tree).encode()
    for ref in refs:
        where = str(world.remote())
        subprocess.run([b"git", "-C", where, "update-ref", ref, commit], env=world.environment, check=True)


def test_a_name_that_is_no_utf_8_is_shown_with_backslashes_and_hinders_nothing(world: World, remote: GitRemote) -> None:
    commit = head(world)
    world.git(world.remote(), "tag", "v1", commit)
    named_in_latin(world, b"refs/tags/v\xff", b"refs/tags/v\xfe", b"refs/heads/\xfc\xc3\xbc")
    refs = remote.refs()
    assert set(refs.tags) == {"v1", r"v\xff", r"v\xfe"}
    assert set(refs.heads) == {"main", r"\xfcü"}
    names = [*(f"refs/tags/{name}" for name in refs.tags), *(f"refs/heads/{name}" for name in refs.heads)]
    remote.bring(names, [*refs.tags.values(), *refs.heads.values()])
    assert remote.reachable(commit, refs.tags) == {"v1"}
    dated = {tag.name: bool(tag.date) for tag in remote.dates(refs.tags)}
    assert dated == {"v1": True, r"v\xff": False, r"v\xfe": False}
    remote.bring([r"refs/tags/v\xff"], [refs.tags[r"v\xff"]])


def test_a_name_with_a_pattern_in_it_asks_for_that_name_alone(world: World, remote: GitRemote) -> None:
    for name in ("v1", "v2", "x/refs/tags/v1"):
        world.git(world.remote(), "tag", name, head(world))
    assert set(remote.refs("refs/tags/v1").tags) == {"v1"}
    assert remote.refs("refs/tags/v*").tags == {}
    assert remote.refs("refs/tags/v?").tags == {}


def test_a_remote_without_anything_has_no_refs_and_one_that_is_not_there_is_unseen(
    world: World, tmp_path: Path
) -> None:
    world.git(tmp_path, "init", "--quiet", "--bare", str(tmp_path / "empty.git"))
    run = Runner(store(a_store(world)))
    refs = GitRemote(str(tmp_path / "empty.git"), run).refs()
    assert (refs.heads, refs.tags, refs.records) == ({}, {}, {})
    for address in (str(tmp_path / "none.git"), "http://ada:hunter2@127.0.0.1:1/x", "-x", "ext::sh -c 'touch ran'"):
        with pytest.raises(Unseen) as unseen:
            GitRemote(address, run).refs()
        assert "hunter2" not in str(unseen.value)
    assert not (tmp_path / "ran").exists()


def test_a_detached_broken_or_symbolic_ref_of_a_remote_is_no_trouble(world: World, remote: GitRemote) -> None:
    commit = head(world)
    world.git(world.remote(), "symbolic-ref", "refs/heads/also", MAIN)
    (world.remote() / "refs/heads/broken").write_text(NONE + "\n")
    heads = remote.refs().heads
    assert {"main": commit, "also": commit} == {name: heads[name] for name in ("main", "also")}


# What is brought here.


def test_only_what_is_missing_is_brought(world: World, remote: GitRemote) -> None:
    commit = there(world, remote)
    world.remote().rename(world.folder / "away.git")
    remote.bring([MAIN], [commit])
    with pytest.raises(Unseen):
        remote.bring([MAIN], [commit, NONE])


def test_a_ref_that_was_deleted_meanwhile_is_unseen(world: World, remote: GitRemote) -> None:
    world.git(world.remote(), "branch", "gone", "main")
    tip = grown(world, "gone", 1, head(world))
    world.git(world.remote(), "branch", "-D", "gone")
    with pytest.raises(Unseen, match="gone"):
        remote.bring(["refs/heads/gone"], [tip])


@pytest.mark.parametrize("shallow", [False, True])
def test_a_ref_that_was_moved_away_meanwhile_is_unseen(world: World, shallow: bool) -> None:
    remote = opened(world, shallow=shallow)
    old = grown(world, "moved", 2)
    world.git(world.remote(), "update-ref", "refs/heads/moved", MAIN)
    with pytest.raises(Unseen):
        remote.bring(["refs/heads/moved"], [old])


def test_nothing_is_brought_for_nothing(world: World, remote: GitRemote) -> None:
    remote.bring([], [])
    assert world.git(a_store(world), "count-objects").startswith("0 objects")


def test_bringing_leaves_no_ref_and_no_fetch_head(world: World, remote: GitRemote) -> None:
    world.git(world.remote(), "tag", "-m", "x", "v1", head(world))
    there(world, remote)
    assert world.git(a_store(world), "for-each-ref") == ""
    assert not (a_store(world) / "FETCH_HEAD").exists()


def test_what_a_neighbouring_clone_has_is_borrowed_and_not_fetched(world: World) -> None:
    clone = world.clone("ada")
    run = Runner(store(a_store(world), clone / ".git" / "objects"))
    remote = GitRemote(str(world.folder / "nowhere"), run)
    remote.bring([MAIN], [head(world)])
    assert remote.file(head(world), "README") == "upstream\n"


def test_a_store_that_is_there_is_taken_as_it_is_and_borrows_from_where_the_clone_is_now(world: World) -> None:
    first, second = world.clone("first"), world.clone("second")
    folder = store(a_store(world), first / ".git/objects")
    shutil.rmtree(first)
    assert store(a_store(world), second / ".git/objects") == folder
    assert GitRemote("x", Runner(folder)).file(head(world), "README") == "upstream\n"
    assert store(folder) == folder
    assert GitRemote("x", Runner(folder)).file(head(world), "README") == "upstream\n"


# Downstream stores, that hold no history.


def test_a_shallow_store_gets_a_tip_without_its_history(world: World) -> None:
    tip = grown(world, "long", 50)
    remote = opened(world, shallow=True)
    assert remote.tip("long") == tip
    assert world.git(a_store(world), "rev-list", "--count", tip) == "1"
    assert remote.tip("none") == ""
    assert not remote.holds("none", tip)


def test_several_bring_into_one_shallow_store_at_once_and_a_lock_of_a_dead_git_holds_nobody(world: World) -> None:
    tips = {f"refs/heads/b{number}": grown(world, f"b{number}", 3 + number) for number in range(8)}
    (store(a_store(world)) / "shallow.lock").touch()
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(opened(world, shallow=True).bring, [ref], [tip]) for ref, tip in tips.items()]:
            done.result()
    assert {world.git(a_store(world), "cat-file", "-t", tip) for tip in tips.values()} == {"commit"}
    remote = opened(world, shallow=True)
    assert not (a_store(world) / "shallow.lock").exists()
    (a_store(world) / "shallow.lock").touch()
    assert remote.holds("b1", tips["refs/heads/b1"])
    assert not remote.holds("b1", tips["refs/heads/b2"])


def test_a_shallow_store_knows_what_a_branch_holds_after_it_moved_on(world: World) -> None:
    old = grown(world, "long", 50)
    remote = opened(world, shallow=True)
    assert remote.tip("long") == old
    new = grown(world, "long", 5, old)
    assert remote.holds("long", old)
    assert remote.holds("long", new)
    first = world.git(world.remote(), "rev-list", "--max-parents=0", new)
    assert remote.holds("long", first)
    assert remote.tip("long") == new


def test_a_shallow_store_knows_that_a_branch_was_moved_away(world: World) -> None:
    old = grown(world, "long", 5)
    remote = opened(world, shallow=True)
    assert remote.tip("long") == old
    world.git(world.remote(), "update-ref", "refs/heads/long", MAIN)
    assert not remote.holds("long", old)
    assert remote.holds("long", head(world))
    assert remote.tip("long") == head(world)


def test_a_tag_beside_a_branch_is_not_in_it(world: World) -> None:
    aside = grown(world, "aside", 3)
    world.git(world.remote(), "tag", "v1", aside)
    world.git(world.remote(), "branch", "-D", "aside")
    remote = opened(world, shallow=True)
    assert not remote.holds("main", aside)
    assert not remote.holds("main", NONE)
    remote.bring(["refs/tags/v1"], [aside])
    assert not remote.holds("main", aside)


def test_a_tip_of_a_shallow_store_can_be_tagged_on_the_remote(world: World) -> None:
    tip = grown(world, "long", 20)
    remote = opened(world, shallow=True)
    remote.tip("long")
    tag = remote.tag("v1", tip, "x", ADA, DATE)
    remote.push(("refs/tags/v1", "", tag))
    assert world.refs()["refs/tags/v1"] == tip
    assert remote.holds("long", tip)


# What the history says.


def test_dates_keep_their_offsets_and_a_tag_on_no_commit_has_none(world: World, remote: GitRemote) -> None:
    bare, tree = world.remote(), world.git(world.remote(), "rev-parse", "main^{tree}")
    blob = raw(world, bare, "blob", b"x")
    tags: dict[str, str] = {"tree": tree, "blob": blob}
    for name, when in {"east": "1700000000 +0545", "west": "1700000000 -0330", "utc": "1700000000 +0000"}.items():
        tags[name] = raw(
            world, bare, "commit", f"tree {tree}\nauthor A <a> {when}\ncommitter C <c> {when}\n\nx\n".encode()
        )
    tags["again"] = tags["east"]
    for name, commit in tags.items():
        world.git(bare, "tag", "-m", "x", name, commit)
    assert remote.refs().tags == tags
    remote.bring([f"refs/tags/{name}" for name in tags], list(tags.values()))
    dated = {tag.name: tag.date for tag in remote.dates(tags)}
    assert dated == {
        "tree": "", "blob": "",
        "east": "2023-11-15T03:58:20+05:45", "west": "2023-11-14T18:43:20-03:30",
        "utc": "2023-11-14T22:13:20+00:00", "again": "2023-11-15T03:58:20+05:45",
    }  # fmt: skip
    assert [tag.name for tag in remote.dates(tags)] == list(tags)
    assert remote.dates({}) == ()
    assert [tag.date for tag in remote.dates({"tree": tree})] == [""]


def test_reachable_tags_are_those_whose_commit_git_calls_an_ancestor(world: World, remote: GitRemote) -> None:
    bare, begin = world.remote(), head(world)
    grown(world, "a", 4, begin)
    grown(world, "b", 4, world.git(bare, "rev-parse", "a~3"))
    for name in ("a", "b"):
        for number in range(4):
            world.git(bare, "tag", *(("-m", "x") if number % 2 else ()), f"{name}{number}", f"{name}~{number}")
    world.git(bare, "tag", "tree", "a^{tree}")
    world.git(bare, "tag", "-m", "x", "of-a-blob", f"a:{'n'}")
    tree = world.git(bare, "rev-parse", "a^{tree}")
    merge = world.git(bare, "commit-tree", "-p", "a~1", "-p", "b~2", "-m", "merge", tree)
    world.git(bare, "update-ref", "refs/heads/merge", merge)
    refs = remote.refs()
    remote.bring([*(f"refs/heads/{n}" for n in refs.heads), *(f"refs/tags/{n}" for n in refs.tags)], [*refs.heads.values(), *refs.tags.values()])  # fmt: skip
    for name, commit in refs.heads.items():
        assert remote.reachable(commit, refs.tags) == ancestors(world, refs.tags, commit), name
    assert ancestors(world, refs.tags, merge) == {"a1", "a2", "a3", "b2", "b3"}
    assert remote.reachable(merge, {}) == frozenset()
    assert remote.reachable(merge, {"not-here": NONE, "merge": merge}) == {"merge"}
    assert world.git(a_store(world), "for-each-ref") == ""


def test_a_tag_from_a_clock_that_was_years_ahead_is_reachable_below_many_commits(
    world: World, remote: GitRemote
) -> None:
    """`git tag --merged` of git 2.39, and `git rev-list` with exclusions, give up five commits below the tip."""
    bare = world.remote()
    about = f"tree {world.git(bare, 'rev-parse', 'main^{tree}')}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 4000000000 +0000\n"
    ahead, aside = (raw(world, bare, "commit", f"{about}\n{name}\n".encode()) for name in ("ahead", "aside"))
    tip = grown(world, "long", 40, ahead)
    for name, commit in (("ahead", ahead), ("aside", aside), ("near", "long~2")):
        world.git(bare, "tag", name, commit)
    refs = remote.refs()
    remote.bring(["refs/heads/long", *(f"refs/tags/{name}" for name in refs.tags)], [tip, *refs.tags.values()])
    assert ancestors(world, refs.tags, tip) == {"ahead", "near"}
    assert remote.reachable(tip, refs.tags) == {"ahead", "near"}


def ancestors(world: World, tags: Mapping[str, str], commit: str) -> set[str]:
    """As git says of each tag by itself, on the upstream; a tree or a blob is nobody's ancestor."""
    codes: dict[str, int] = {}
    for name in tags:
        asked = ["git", "-C", str(world.remote()), "merge-base", "--is-ancestor", f"refs/tags/{name}", commit]
        codes[name] = subprocess.run(asked, env=world.environment, capture_output=True, check=False).returncode
    return {name for name, code in codes.items() if code == 0}


def test_ancestors_are_what_git_says_and_what_is_not_here_is_none(world: World, remote: GitRemote) -> None:
    old = there(world, remote)
    new = grown(world, "main", 1, old)
    assert not remote.ancestor(old, new)
    there(world, remote)
    assert remote.ancestor(old, new)
    assert remote.ancestor(new, new)
    assert not remote.ancestor(new, old)
    assert not remote.ancestor(NONE, new)
    tree = world.git(world.remote(), "rev-parse", "main^{tree}")
    assert not remote.ancestor(tree, new)


def test_commits_come_newest_first_without_those_that_are_excluded(world: World, remote: GitRemote) -> None:
    begin = head(world)
    grown(world, "main", 5, begin)
    tip = there(world, remote)
    assert [commit.message for commit in remote.commits(tip, [begin])] == ["4", "3", "2", "1", "0"]
    assert [commit.id for commit in remote.commits(tip, [tip])] == []
    assert [commit.parents for commit in remote.commits(tip, [])][-1] == ()


def test_a_merge_an_empty_message_and_a_hostile_commit_are_read_as_they_are(world: World, remote: GitRemote) -> None:
    bare, begin = world.remote(), head(world)
    tree = world.git(bare, "rev-parse", "main^{tree}")
    head_of = f"tree {tree}\nparent {begin}\n".encode()
    when = b" 1700000000 +0100\n"
    huge = b"x" * 3_000_000
    made = [
        raw(world, bare, "commit", head_of + b"author A <a>" + when + b"committer C <c>" + when + b"\n"),
        raw(world, bare, "commit", head_of + b"author \xff\xfe <\xff>" + when + b"committer C <c>" + when + b"\n\xff: \x1b[31m\r\nx\n"),
        raw(world, bare, "commit", head_of + b"author A <a>" + when + b"committer C <c>" + when + b"\n" + huge),
        raw(world, bare, "commit", head_of + b"author J\xf6rg <a>" + when + b"committer C <c>" + when + b"encoding ISO-8859-1\n\nfix: gr\xfc\xdfe\n"),
        raw(world, bare, "commit", head_of + b"author  <>" + when + b"committer C <c>" + when + b"\nfeat: x\n\n\n\nBREAKING CHANGE: y\n\n"),
        raw(world, bare, "commit", head_of + b"author A <a>" + when + b"committer C <c>" + when + b"\nfeat: before\0after\n"),
        raw(world, bare, "commit", head_of + b"author A <a>" + when + b"committer no date\n\nfix: broken\n"),
    ]  # fmt: skip
    parents = "".join(f"parent {commit}\n" for commit in made)
    merge = raw(
        world,
        bare,
        "commit",
        f"tree {tree}\n{parents}author M <m>".encode() + when + b"committer C <c>" + when + b"\nmerge\n",
    )
    (bare / "refs/heads/merge").write_text(merge + "\n")
    run = Runner(store(a_store(world), bare / "objects"))
    remote = GitRemote(world.remote().as_uri(), run)
    seen = {commit.id: commit for commit in remote.commits(merge, [begin])}
    assert set(seen) == {merge, *made}
    assert seen[merge].parents == tuple(made)
    empty, invalid, long, latin, spaced, cut, undated = (seen[commit] for commit in made)
    assert empty.message == ""
    assert invalid.author == Person("\ufffd\ufffd", "\ufffd")
    assert invalid.message == "\ufffd: \x1b[31m\r\nx\n"
    assert long.message == huge.decode()
    assert latin.author.name == "Jörg"
    assert latin.message == "fix: grüße\n"
    assert spaced.author == Person("", "")
    assert spaced.message == "feat: x\n\n\n\nBREAKING CHANGE: y\n\n"
    assert cut.message.startswith("feat: before")
    assert undated.message == "fix: broken\n"
    assert empty.date == "2023-11-14T23:13:20+01:00"


@pytest.mark.parametrize(("key", "value"), [
    ("log.showSignature", "true"), ("log.follow", "true"), ("log.decorate", "full"), ("color.ui", "always"),
    ("format.pretty", "oneline"), ("log.diffMerges", "on"), ("i18n.logOutputEncoding", "UTF-16"), ("log.abbrevCommit", "true"),
    ("log.mailmap", "true"), ("notes.displayRef", "*"), ("log.date", "relative"), ("log.showRoot", "true"), ("core.abbrev", "4"),
])  # fmt: skip
def test_a_callers_taste_does_not_change_what_is_read(world: World, remote: GitRemote, key: str, value: str) -> None:
    world.git(world.remote(), "tag", "v1", "main")
    tip = there(world, remote)
    read: Callable[[], object] = lambda: (  # noqa: E731
        list(remote.commits(tip, [])), remote.dates({"v1": tip}), remote.reachable(tip, {"v1": tip}), remote.refs(),
    )  # fmt: skip
    before = read()
    world.git(world.folder, "config", "--global", key, value)
    assert read() == before


def test_a_long_log_is_read_as_far_as_one_looks_and_no_git_is_left_behind(world: World, remote: GitRemote) -> None:
    tip = grown(world, "long", 5000)
    remote.bring(["refs/heads/long"], [tip])
    before = set(RUNNING)
    log = remote.commits(tip, [])
    assert [commit.message for commit in islice(log, 2)] == ["4999", "4998"]
    assert set(RUNNING) - before
    log.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 2
    while any(process.poll() is None for process in set(RUNNING) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    alive = [process for process in set(RUNNING) - before if process.poll() is None]
    for process in alive:
        process.kill()
        process.wait()
    assert not alive, "git still waits for somebody to read"


def test_a_history_with_a_hole_is_an_error_and_never_a_short_log(world: World, remote: GitRemote) -> None:
    tree = world.git(world.remote(), "rev-parse", "main^{tree}")
    who = "A <a> 1700000000 +0000"
    holed = raw(
        world, world.remote(), "commit", f"tree {tree}\nparent {NONE}\nauthor {who}\ncommitter {who}\n\nx\n".encode()
    )
    remote = GitRemote("x", Runner(store(a_store(world), world.remote() / "objects")))
    with pytest.raises(ReleaseError):
        list(remote.commits(holed, []))


def test_commits_of_what_is_not_here_is_an_error_however_much_is_excluded(world: World, remote: GitRemote) -> None:
    tip = there(world, remote)
    with pytest.raises(ReleaseError):
        list(remote.commits(NONE, []))
    with pytest.raises(ReleaseError):
        list(remote.commits(NONE, [tip] * 20_000))


# Files.


def test_files_are_read_as_they_are_by_one_question(world: World, remote: GitRemote) -> None:
    clone = world.clone("ada")
    (clone / "folder").mkdir()
    files = {"crlf": b"a\r\nb\r", "empty": b"", "a b": b" \n", "ü": "ü\u2028\n".encode(), "folder/x": b"\nx", "-x": b"-", 'q"uote': b"q", ":x": b":", "nul": b"a\0b", "bom": b"\xef\xbb\xbfx"}  # fmt: skip
    for path, content in files.items():
        (clone / path).write_bytes(content)
    world.commit(clone, {}, "feat: files")
    commit = there(world, remote)
    found = remote.files(commit, [*files, "none", "folder", "folder/none", "README/x", "x missing"])
    assert found == {**{path: content.decode() for path, content in files.items()}, **dict.fromkeys(("none", "folder", "folder/none", "README/x", "x missing"))}  # fmt: skip
    assert remote.file(commit, "crlf") == "a\r\nb\r"
    assert remote.files(commit, []) == {}


def test_a_file_that_is_not_utf_8_is_an_error_and_not_an_absence(world: World, remote: GitRemote) -> None:
    clone = world.clone("ada")
    (clone / "binary").write_bytes(b"\xff\xfe")
    world.commit(clone, {}, "feat: x")
    with pytest.raises(ReleaseError, match=r"binary at .* is not UTF-8"):
        remote.file(there(world, remote), "binary")
    assert remote.contents(there(world, remote), ["binary", "none"]) == {"binary": b"\xff\xfe", "none": None}


def test_a_file_of_a_commit_that_is_not_here_is_not_taken_for_absent(world: World, remote: GitRemote) -> None:
    with pytest.raises(ReleaseError):
        remote.file(NONE, "README")


# Commits that are made.


def test_a_made_commit_holds_the_edits_and_leaves_everything_else_as_it_is(world: World, remote: GitRemote) -> None:
    clone = world.clone("ada")
    (clone / "run.sh").write_text("#!/bin/sh\necho 1.0.0\n")
    (clone / "run.sh").chmod(0o755)
    (clone / "link").symlink_to("run.sh")
    (clone / "crlf.txt").write_bytes(b"version = 1\r\nrest\r\n")
    base = world.commit(clone, {"a/b/c": "c", "version": "0.9.0 and 0.9.0 ü\n"}, "feat: x")
    there(world, remote)
    before = world.git(world.remote(), "ls-tree", "-r", base).splitlines()
    edits = [
        Splice("version", 0, 5, "1.0.0"),
        Splice("version", 10, 15, "10.0.0"),
        Splice("run.sh", 15, 20, "2.0.0"),
        Splice("crlf.txt", 10, 11, "2"),
        Splice("new/deep/er/file", 0, 0, "new\n"),
    ]
    made = remote.commit(base, edits, "chore(release): v1.0.0\n\nwhy — ü\n", ADA, DATE)
    assert shown(world, made, "version") == "1.0.0 and 10.0.0 ü"
    assert shown(world, made, "run.sh") == "#!/bin/sh\necho 2.0.0"
    assert remote.file(made, "crlf.txt") == "version = 2\r\nrest\r\n"
    assert shown(world, made, "new/deep/er/file") == "new"
    after = world.git(a_store(world), "ls-tree", "-r", made).splitlines()
    changed = {line.split("\t")[1] for line in set(before) ^ set(after)}
    assert changed == {edit.path for edit in edits}
    assert {line.split()[0] for line in after if line.endswith("\trun.sh")} == {"100755"}
    body = world.git(a_store(world), "cat-file", "commit", made)
    assert f"parent {base}\nauthor Ada <ada@example.org> 1770091506 +0000\ncommitter Ada <ada@example.org> 1770091506 +0000\n\n" in body  # fmt: skip
    assert body.endswith("why — ü")
    assert world.git(a_store(world), "for-each-ref") == ""
    assert world.git(clone, "status", "--porcelain") == ""
    assert world.refs()[MAIN] == base


def test_a_made_commit_takes_files_away_and_leaves_their_neighbours(world: World, remote: GitRemote) -> None:
    clone = world.clone("ada")
    odd = 'changes.d/+q"u\\o ü.fix.md'
    texts = {"changes.d/1.feature.md": "x", "changes.d/12.fix.md": "y", odd: "z", "alone/2.fix": "w"}
    base = world.commit(clone, texts, "feat: x")
    there(world, remote)
    taken = [Splice(path, 0, 0, "", removes=True) for path in ("changes.d/1.feature.md", odd, "alone/2.fix", "never")]
    made = remote.commit(base, [Splice("README", 0, 0, "x"), *taken], "m", ADA, DATE)
    names = world.git(a_store(world), "ls-tree", "-r", "-z", "--name-only", made).split("\0")
    assert set(filter(None, names)) == {"README", "changes.d/12.fix.md"}
    assert remote.file(made, "README") == "xupstream\n"
    assert remote.commit(base, [*taken[::-1], Splice("README", 0, 0, "x")], "m", ADA, DATE) == made


def test_the_same_commit_made_twice_and_elsewhere_has_the_same_id(world: World, remote: GitRemote) -> None:
    base = there(world, remote)
    other = opened(world, "other")
    there(world, other)
    edits = [Splice("README", 0, 0, "x"), Splice("new", 0, 0, "y")]
    ids = {each.commit(base, order, "m", ADA, date) for each in (remote, remote, other) for order in (edits, edits[::-1])
           for date in (DATE, "2026-02-03T05:05:06+01:00", "2026-02-03T04:05:06Z")}  # fmt: skip
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("person", "kept"),
    [
        (Person("A\nB <x> 1 +0000\ncommitter Eve <e@e> 1 +0000", "a@b"), "AB x 1 +0000committer Eve e@e 1 +0000 <a@b>"),
        (Person("Ada", "a@b> 1 +0000\nfrom x"), "Ada <a@b 1 +0000from x>"),
        (Person("\u202eAda\x1b[31m\u2028", "\x07a@b\r"), "Ada[31m <a@b>"),
        (Person("Żółw 日本", "ż@例え"), "Żółw 日本 <ż@例え>"),
        (Person('"quoted" \\ name', "a@b"), '"quoted" \\ name <a@b>'),
    ],
)
def test_a_hostile_name_of_an_author_stays_a_name(world: World, remote: GitRemote, person: Person, kept: str) -> None:
    base = there(world, remote)
    made = remote.commit(base, [Splice("x", 0, 0, "x")], "m", person, DATE)
    body = world.git(a_store(world), "cat-file", "commit", made).splitlines()
    assert body[2:4] == [f"author {kept} 1770091506 +0000", f"committer {kept} 1770091506 +0000"]
    tag = remote.tag("v1", made, "m", person, DATE)
    assert f"tagger {kept} 1770091506 +0000" in world.git(a_store(world), "cat-file", "tag", tag).splitlines()
    assert world.git(a_store(world), "fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize(
    "path",
    ["a b", 'q"u"ote', "back\\slash", "tab\there", "ü/日本", "-x", ":x", "new\nline", "a'b", "$(x)", "...", "\u2028"],
)
def test_a_path_of_any_characters_is_written_where_it_says(world: World, remote: GitRemote, path: str) -> None:
    base = there(world, remote)
    made = remote.write([base], {path: ("100755", "text")}, "m", ADA, DATE)
    names = world.git(a_store(world), "ls-tree", "-r", "-z", "--name-only", made).split("\0")
    assert set(filter(None, names)) == {path, "README"}
    again = remote.commit(made, [Splice(path, 0, 4, "other")], "m", ADA, DATE)
    assert remote.files(again, ["README", path, "none", "no\nne", "README"]) == {
        "README": "upstream\n", path: "other", "none": None, "no\nne": None,
    }  # fmt: skip
    assert world.git(a_store(world), "ls-tree", "-r", again).count("100755") == 1


@pytest.mark.parametrize(
    "text", ["", "\n", "data 3\nabc\ndone\n", "\r\n\0\x1b", "x" * 2_000_000, "ü" * 70_000], ids=len
)
def test_any_text_is_written_as_it_is(world: World, remote: GitRemote, text: str) -> None:
    base = there(world, remote)
    made = remote.commit(base, [Splice("new", 0, 0, text)], f"m {text.replace(chr(0), '')}", ADA, DATE)
    assert remote.file(made, "new") == text
    assert remote.file(made, "README") == "upstream\n"


def test_what_stands_at_a_path_is_told_by_its_mode(world: World, remote: GitRemote) -> None:
    clone = world.clone("ada")
    (clone / "docs").mkdir()
    (clone / "docs/CHANGELOG.md").write_text("# Changes\n")
    (clone / "CHANGELOG.md").symlink_to("docs/CHANGELOG.md")
    (clone / "run.sh").write_text("")
    (clone / "run.sh").chmod(0o755)
    (clone / ":x ü\n").write_text("")
    base = world.commit(clone, {}, "feat: x")
    there(world, remote)
    asked = ["CHANGELOG.md", "docs", "docs/none", "README", "README/below", "none", "run.sh", ":x ü\n", "*", "-x"]
    told = remote.modes(base, asked)
    found = {path: told[path] for path in asked if path in told}
    assert found.pop("docs", "040000") == "040000"  # left out where something below it is asked for
    assert found == {"CHANGELOG.md": "120000", "README": "100644", "run.sh": "100755", ":x ü\n": "100644"}
    assert remote.modes(base, ["docs"]) == {"docs": "040000"}
    assert remote.modes(base, ["docs/CHANGELOG.md", "docs"])["docs/CHANGELOG.md"] == "100644"
    assert remote.modes(base, []) == {}
    with pytest.raises(ReleaseError):
        remote.modes(NONE, ["README"])


def test_the_newest_commit_with_a_message_is_found_on_the_first_parents_path(world: World, remote: GitRemote) -> None:
    begin = head(world)
    tip = grown(world, "main", 12, begin)
    there(world, remote)
    assert remote.find(tip, "^1(:|$)") == world.git(world.remote(), "rev-parse", f"{tip}~10")
    assert remote.find(tip, "^1") == tip
    assert remote.find(tip, "^none$") == ""
    assert remote.find(tip, "--output=ran") == ""
    with pytest.raises(ReleaseError):
        remote.find(NONE, "^1")


@pytest.mark.parametrize(
    "name", ["GIT_ICASE_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_LITERAL_PATHSPECS"]
)
def test_a_callers_taste_in_paths_does_not_matter(
    world: World, remote: GitRemote, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    base = there(world, remote)
    monkeypatch.setenv(name, "1")
    cleared(os.environ)
    made = remote.commit(base, [Splice("README", 0, 0, "x"), Splice("*", 0, 0, "x")], "m", ADA, DATE)
    assert world.git(a_store(world), "ls-tree", "--name-only", made).split() == ["*", "README"]


def test_a_commit_on_what_is_not_here_is_an_error(world: World, remote: GitRemote) -> None:
    with pytest.raises(ReleaseError):
        remote.commit(NONE, [Splice("x", 0, 0, "x")], "m", ADA, DATE)
    there(world, remote)
    with pytest.raises(ReleaseError):
        remote.write([head(world), NONE], {"x": ("100644", "x")}, "m", ADA, DATE)


def test_a_path_is_quoted_so_that_its_line_does_not_end() -> None:
    assert quoted('a\\"\nb') == '"a\\\\\\"\\nb"'


# Tags that are made.


def test_a_made_tag_is_annotated_whole_and_the_same_twice(world: World, remote: GitRemote) -> None:
    commit = there(world, remote)
    message = "v1.0.0\n\n# not a comment\n\n\n  indented ü\n"
    tag = remote.tag("v1.0.0", commit, message, ADA, DATE)
    assert remote.tag("v1.0.0", commit, message, ADA, DATE) == tag
    body = world.git(a_store(world), "cat-file", "tag", tag)
    assert body.startswith(
        f"object {commit}\ntype commit\ntag v1.0.0\ntagger Ada <ada@example.org> 1770091506 +0000\n\n"
    )
    assert message.strip() in body
    assert world.git(a_store(world), "for-each-ref") == ""
    assert world.git(a_store(world), "fsck", "--strict", "--no-dangling") == ""
    remote.push(("refs/tags/v1.0.0", "", tag))
    assert world.git(world.remote(), "cat-file", "-t", "v1.0.0") == "tag"
    assert world.git(world.remote(), "fsck", "--strict") == ""
    assert world.refs()["refs/tags/v1.0.0"] == commit


@pytest.fixture
def keyring(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A keyring with one key; its id. Its path is short, for gpg's socket has to fit in."""
    home = tmp_path_factory.mktemp("k")
    home.chmod(0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    made = [
        "gpg",
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--quick-generate-key",
        "Ada <ada@example.org>",
        "ed25519",
        "sign",
        "never",
    ]
    try:
        subprocess.run(made, check=True, capture_output=True)
        listed = subprocess.run(
            ["gpg", "--list-secret-keys", "--with-colons"], check=True, capture_output=True, text=True
        )
        yield next(line.split(":")[9] for line in listed.stdout.splitlines() if line.startswith("fpr"))
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)


needs_gpg = pytest.mark.skipif(not (shutil.which("gpg") and shutil.which("gpgconf")), reason="gpg is not installed")


@needs_gpg
@pytest.mark.parametrize("setting", ["tag.gpgSign", "tag.forceSignAnnotated"])
@pytest.mark.parametrize("message", ["v1.0.0\n\n- a change ü\n", "v1.0.0"])
def test_a_tag_is_signed_where_git_is_set_up_so_and_can_be_verified(
    world: World, keyring: str, message: str, setting: str
) -> None:
    remote = opened(world, config=((setting, "true"), ("user.signingKey", keyring)))
    commit = there(world, remote)
    tag = remote.tag("v1.0.0", commit, message, ADA, DATE)
    remote.push(("refs/tags/v1.0.0", "", tag))
    body = world.git(world.remote(), "cat-file", "tag", "v1.0.0")
    assert f"tagger Ada <ada@example.org> 1770091506 +0000\n\n{message.strip()}\n-----BEGIN PGP SIGNATURE-----" in body
    checked = subprocess.run(
        ["git", "-C", str(world.remote()), "verify-tag", "v1.0.0"], capture_output=True, text=True, check=False,
        env={**world.environment, "GNUPGHOME": os.environ["GNUPGHOME"]},
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    assert "Good signature" in checked.stderr
    assert world.git(a_store(world), "for-each-ref") == ""


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
def test_a_tag_is_signed_with_an_ssh_key_too(world: World, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (tmp_path / "allowed").write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
    settings = (("tag.gpgSign", "yes"), ("gpg.format", "ssh"), ("user.signingKey", str(key)))
    remote = opened(world, config=settings)
    tag = remote.tag("v1.0.0", there(world, remote), "v1.0.0\n", ADA, DATE)
    remote.push(("refs/tags/v1.0.0", "", tag))
    allowed = f"gpg.ssh.allowedSignersFile={tmp_path / 'allowed'}"
    world.git(world.remote(), "-c", allowed, "verify-tag", "v1.0.0")


@pytest.mark.parametrize("settings", [
    (("user.signingKey", "0123456789ABCDEF0123456789ABCDEF01234567"),),
    (("gpg.program", "/none/such"),),
    (("gpg.program", "false"),),
    (("gpg.format", "ssh"), ("user.signingKey", "/none/such")),
])  # fmt: skip
def test_a_key_that_does_not_work_is_refused_with_what_to_do(
    world: World, settings: tuple[tuple[str, str], ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GNUPGHOME", str(tmp_path / "no-keys"))
    remote = opened(world, config=(("tag.gpgSign", "true"), *settings))
    commit = there(world, remote)
    with pytest.raises(Refused, match=r"the tag v1\.0\.0 could not be signed") as refused:
        remote.tag("v1.0.0", commit, "m", ADA, DATE)
    assert "signing key" in refused.value.remedy
    assert "refs/tags/v1.0.0" not in world.refs()


def test_a_setting_for_signatures_that_git_cannot_read_does_not_make_an_unsigned_tag(world: World) -> None:
    remote = opened(world, config=(("tag.gpgSign", "perhaps"),))
    commit = there(world, remote)
    with pytest.raises(ReleaseError):
        remote.tag("v1.0.0", commit, "m", ADA, DATE)


# Pushes.


def made_on(remote: GitRemote, base: str, text: str) -> str:
    return remote.commit(base, [Splice("x", 0, 0, text)], text, ADA, DATE)


def test_a_tag_is_made_once_and_the_same_again_is_fine(world: World, remote: GitRemote) -> None:
    base = there(world, remote)
    first, second = (remote.tag("v1", base, message, ADA, DATE) for message in ("first", "second"))
    remote.push(("refs/tags/v1", "", first))
    remote.push(("refs/tags/v1", "", first))
    with pytest.raises(Refused, match="refs/tags/v1"):
        remote.push(("refs/tags/v1", "", second))
    assert world.git(world.remote(), "rev-parse", "refs/tags/v1") == first


def test_a_branch_moves_only_from_where_it_was_and_nothing_lands_beside(world: World, remote: GitRemote) -> None:
    base = there(world, remote)
    one, two = made_on(remote, base, "one"), made_on(remote, base, "two")
    remote.push((MAIN, base, one), ("refs/tags/v1", "", one))
    before = world.refs()
    for moves in (
        ((MAIN, base, two), ("refs/tags/v2", "", two)),
        (("refs/tags/v2", "", two), ("refs/tags/v1", "", two)),
        (("refs/heads/none", base, two), ("refs/tags/v2", "", two)),
        ((MAIN, "", two),),
    ):
        with pytest.raises(Refused) as refused:
            remote.push(*moves)
        assert "stale info" in str(refused.value)
        assert world.refs() == before
    remote.push((MAIN, one, two))
    assert world.refs()[MAIN] == two


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_what_a_hook_refuses_is_certainly_not_done_and_its_words_are_told(
    world: World, remote: GitRemote, hook: str
) -> None:
    base = there(world, remote)
    tag = remote.tag("v1", base, "x", ADA, DATE)
    branch = made_on(remote, base, "x")
    world.refuse(
        "upstream", "#!/bin/sh\ncase $1 in refs/heads/*) exit 0;; esac\necho 'not on a friday' >&2\nexit 1\n", hook
    )
    before = world.refs()
    with pytest.raises(Refused, match="not on a friday") as refused:
        remote.push((MAIN, base, branch), ("refs/tags/v1", "", tag))
    assert refused.value.remedy
    assert world.refs() == before


@pytest.mark.parametrize(("phase", "landed"), [("committed", True), ("prepared", False)])
def test_a_push_whose_answer_is_lost_is_uncertain_whether_it_landed_or_not(
    world: World, remote: GitRemote, phase: str, landed: bool
) -> None:
    base = there(world, remote)
    tag = remote.tag("v1", base, "x", ADA, DATE)
    hook = world.refuse(
        "upstream", f'#!/bin/sh\n[ "$1" = {phase} ] && kill -9 $PPID\nexit 0\n', "reference-transaction"
    )
    with pytest.raises(Uncertain, match=r"the answer of .* was lost"):
        remote.push(("refs/tags/v1", "", tag))
    assert ("refs/tags/v1" in world.refs()) == landed
    hook.unlink()
    for lock in world.remote().rglob("*.lock"):
        lock.unlink()
    remote.push(("refs/tags/v1", "", tag))
    assert world.git(world.remote(), "rev-parse", "refs/tags/v1") == tag


def test_a_remote_that_cannot_do_all_or_nothing_gets_nothing(world: World, remote: GitRemote) -> None:
    world.git(world.remote(), "config", "receive.advertiseAtomic", "false")
    base = there(world, remote)
    before = world.refs()
    with pytest.raises(Refused, match="atomic"):
        remote.push(("refs/tags/v1", "", base), ("refs/tags/v2", "", base))
    assert world.refs() == before


def test_an_object_that_is_not_here_is_certainly_not_pushed(world: World, remote: GitRemote) -> None:
    with pytest.raises(Refused):
        remote.push(("refs/tags/v1", "", NONE))


def test_a_locked_ref_is_refused_and_nothing_lands(world: World, remote: GitRemote) -> None:
    base = there(world, remote)
    made = made_on(remote, base, "x")
    lock = world.remote() / "refs/heads/main.lock"
    lock.touch()
    before = world.refs()
    with pytest.raises(Refused):
        remote.push((MAIN, base, made), ("refs/tags/v1", "", made))
    assert world.refs() == before
    lock.unlink()
    remote.push((MAIN, base, made), ("refs/tags/v1", "", made))


@pytest.mark.parametrize(
    ("key", "value"), [("push.default", "nothing"), ("push.followTags", "true"), ("push.pushOption", "x"), ("push.useForceIfIncludes", "true"), ("push.gpgSign", "if-asked"), ("submodule.recurse", "true")],
)  # fmt: skip
def test_a_callers_taste_does_not_change_what_is_pushed(world: World, remote: GitRemote, key: str, value: str) -> None:
    world.git(world.folder, "config", "--global", key, value)
    base = there(world, remote)
    made = made_on(remote, base, "x")
    tag = remote.tag("v1", made, "x", ADA, DATE)
    remote.push((MAIN, base, made), ("refs/tags/v1", "", tag))
    assert world.refs() == {MAIN: made, "refs/tags/v1": made}


def test_the_right_to_push_is_asked_for_and_nothing_is_sent(world: World, remote: GitRemote) -> None:
    base = there(world, remote)
    made = made_on(remote, base, "x")
    before = world.refs()
    assert remote.refusal(made, "refs/tags/v1") == ""
    assert remote.refusal(made, MAIN) == ""
    assert world.refs() == before
    assert subprocess.run(["git", "-C", str(world.remote()), "cat-file", "-e", made], check=False, capture_output=True).returncode  # fmt: skip
    away = GitRemote(str(world.folder / "none.git"), Runner(a_store(world)))
    assert "none.git" in away.refusal(made, MAIN)


@pytest.fixture
def readable(world: World) -> Iterator[str]:
    """The upstream served by a daemon that takes no pushes; its address."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = asked.getsockname()[1]
    place = world.folder / "remotes"
    exe = Path(world.git(world.folder, "--exec-path")) / "git-daemon"
    if not exe.exists():
        pytest.skip("git daemon is not installed")
    daemon = subprocess.Popen(
        [exe, "--export-all", "--informative-errors", f"--base-path={place}", "--listen=127.0.0.1", f"--port={port}", str(place)],
        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"git://127.0.0.1:{port}/upstream.git"
    finally:
        daemon.terminate()
        daemon.wait()


def test_a_remote_that_can_only_be_read_says_so_before_anything_is_pushed(world: World, readable: str) -> None:
    remote = GitRemote(readable, Runner(store(a_store(world))))
    assert remote.refs().heads == {"main": head(world)}
    base = there(world, remote)
    why = remote.refusal(base, "refs/tags/v1")
    assert "service not enabled" in why
    assert all(c.isprintable() for c in why)
    with pytest.raises((Refused, Uncertain), match="service not enabled"):
        remote.push(("refs/tags/v1", "", base))
    assert world.refs() == {MAIN: base}


def test_the_address_is_shown_without_its_password(world: World) -> None:
    remote = GitRemote("https://ada:hunter2@127.0.0.1:1/x", Runner(store(a_store(world))))
    assert remote.name == "https://127.0.0.1:1/x"
    for act in (remote.refs, lambda: remote.push((MAIN, "", NONE)), lambda: remote.bring([MAIN], [NONE])):
        with pytest.raises(ReleaseError) as error:
            act()
        assert "hunter2" not in str(error.value)
    assert "hunter2" not in remote.refusal(NONE, MAIN)


def settings_of(values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(values.items())


def test_nothing_of_a_made_commit_or_tag_stays_in_temporary_folders(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    remote = opened(world, config=settings_of({"tag.gpgSign": "true", "gpg.program": "false"}))
    base = there(world, remote)
    remote.reachable(base, {"v1": base})
    with pytest.raises(Refused):
        remote.tag("v1", base, "m", ADA, DATE)
    with pytest.raises(ReleaseError):
        remote.reachable(NONE, {"v1": base})
    assert list(scratch.iterdir()) == []
