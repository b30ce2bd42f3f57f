"""The past of one file on a remote's branch: every change on the first parents' path, and nothing else is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from release.adapters.git import file_history
from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.core.file_change import FileChange
from release.core.model import Person
from release.core.references import LONGEST_FILE
from release.errors import Unseen
from tests.world import World

FILE = "channels.yaml"
HOSTILE = "a\x1b[2J\u2028:100644 000000 a b M\t ; $(touch x)"


@pytest.fixture
def clone(world: World) -> Path:
    return world.clone("captain")


def opened(world: World, name: str = "one") -> GitRemote:
    return GitRemote(world.remote().as_uri(), Runner(store(world.folder / f"{name}.git")), shallow=True)


def store_of(world: World, name: str = "one") -> Path:
    return world.folder / f"{name}.files.git"


def past(world: World, path: str = FILE, branch: str = "main", since: str = "") -> list[FileChange]:
    return list(opened(world).file_history(branch, path, since))


def contents(changes: list[FileChange]) -> list[bytes | None]:
    return [change.content for change in changes]


def grown(world: World, count: int, path: str = FILE, size: int = 0) -> None:
    """That many commits, each with another content of a file, a minute apart; by one process."""
    told, begins = ["feature done\n"], "from refs/heads/main^0\n"
    for number in range(count):
        body = f"{number}\n{'x' * size}"
        told.append(
            f"commit refs/heads/main\ncommitter C <c@example.org> {1_700_000_000 + 60 * number} +0000\n"
            f"data 1\nx\n{'' if number else begins}"
            f"M 100644 inline {path}\ndata {len(body)}\n{body}\n"
        )
    world.git(world.remote(), "fast-import", "--quiet", "--force", stdin="".join((*told, "done\n")))


def test_each_commit_that_changed_the_file_is_told_and_no_other(world: World, clone: Path) -> None:
    first = world.commit(clone, {FILE: "one\n"}, "feat: one")
    world.commit(clone, {"other.yaml": "one\n"}, "feat: another file")
    last = world.commit(clone, {FILE: "two\n"}, "feat: two")
    changes = past(world)
    assert [(change.commit, change.content) for change in changes] == [(last, b"two\n"), (first, b"one\n")]
    assert {change.who for change in changes} == {Person("seed@name", "seed@email")}
    assert [change.when for change in changes] == [
        world.git(clone, "log", "-1", "--format=%cI", c) for c in (last, first)
    ]


def test_a_merge_is_what_it_brought_to_the_branch(world: World, clone: Path) -> None:
    world.commit(clone, {FILE: "one\n"}, "feat: one")
    world.git(clone, "checkout", "--quiet", "-b", "side")
    for text in ("draft\n", "two\n"):
        world.commit(clone, {FILE: text}, "feat: aside", push=False)
    world.git(clone, "checkout", "--quiet", "main")
    world.commit(clone, {"README": "more\n"}, "docs: more")
    world.git(clone, "merge", "--quiet", "--no-ff", "-m", HOSTILE, "side")
    world.git(clone, "push", "--quiet", "origin", "main")
    changes = past(world)
    assert contents(changes) == [b"two\n", b"one\n"]
    assert changes[0].commit == world.git(clone, "rev-parse", "main")


def test_a_merge_that_brought_nothing_of_it_is_not_told(world: World, clone: Path) -> None:
    world.commit(clone, {FILE: "one\n"}, "feat: one")
    world.git(clone, "checkout", "--quiet", "-b", "side")
    world.commit(clone, {"aside": "x\n"}, "feat: aside", push=False)
    world.git(clone, "checkout", "--quiet", "main")
    world.git(clone, "merge", "--quiet", "--no-ff", "-m", "merge", "side")
    world.git(clone, "push", "--quiet", "origin", "main")
    assert contents(past(world)) == [b"one\n"]


def test_a_file_that_was_reverted_is_told_each_time(world: World, clone: Path) -> None:
    for text in ("one\n", "two\n", "one\n"):
        world.commit(clone, {FILE: text}, "feat: change")
    assert contents(past(world)) == [b"one\n", b"two\n", b"one\n"]


def test_a_file_that_goes_away_says_nothing_from_there_on(world: World, clone: Path) -> None:
    world.commit(clone, {FILE: "one\n"}, "feat: one")
    world.git(clone, "rm", "--quiet", FILE)
    world.commit(clone, {}, "feat: gone")
    world.commit(clone, {FILE: "two\n"}, "feat: back")
    assert contents(past(world)) == [b"two\n", None, b"one\n"]


def test_under_each_of_its_names_a_file_has_a_past_of_its_own(world: World, clone: Path) -> None:
    world.commit(clone, {"old.yaml": "one\n"}, "feat: one")
    world.git(clone, "mv", "old.yaml", FILE)
    moved = world.commit(clone, {}, "refactor: another name")
    world.git(clone, "config", "log.follow", "true")
    assert [(change.commit, change.content) for change in past(world)] == [(moved, b"one\n")]
    assert contents(past(world, "old.yaml")) == [None, b"one\n"]


def test_a_link_or_a_folder_in_its_place_is_no_file(world: World, clone: Path) -> None:
    world.commit(clone, {FILE: "one\n"}, "feat: one")
    (clone / FILE).unlink()
    (clone / FILE).symlink_to("README")
    world.commit(clone, {}, "feat: a link")
    (clone / FILE).unlink()
    world.commit(clone, {f"{FILE}/inside": "x\n", f"{FILE}/too": "x\n"}, "feat: a folder")
    world.commit(clone, {f"{FILE}/inside": "y\n", f"{FILE}/too": "y\n"}, "feat: and more of it")
    world.git(clone, "mv", f"{FILE}/too", f"{FILE}/renamed")
    world.commit(clone, {}, "refactor: within it")
    world.git(clone, "rm", "--quiet", "-r", FILE)
    world.commit(clone, {FILE: "two\n"}, "feat: a file again")
    assert contents(past(world)) == [b"two\n", None, None, b"one\n"]


def test_a_file_that_nobody_writes_by_hand_is_not_read(world: World, clone: Path) -> None:
    for size in (LONGEST_FILE, LONGEST_FILE + 1):
        world.commit(clone, {FILE: "x" * size}, "feat: long")
    assert [content and len(content) for content in contents(past(world))] == [None, LONGEST_FILE]


def test_names_and_bytes_are_as_they_are(world: World, clone: Path) -> None:
    odd = 'a\nb"\t\\ é.yaml'
    (clone / odd).write_bytes(b"\xff\0\r\n")
    World(world.folder, {**world.environment, "GIT_AUTHOR_NAME": HOSTILE}).commit(clone, {}, HOSTILE)
    (change,) = past(world, odd)
    assert change.content == b"\xff\0\r\n"
    assert change.who == Person(HOSTILE, "seed@email")


def test_a_path_is_no_pattern_and_no_option(world: World, clone: Path) -> None:
    world.commit(clone, {FILE: "one\n", "--all": "two\n"}, "feat: one")
    assert past(world, "*.yaml") == []
    assert past(world, ":(top)" + FILE) == []
    assert contents(past(world, "--all")) == [b"two\n"]


def test_what_came_since_ends_with_what_was_there_before(world: World) -> None:
    grown(world, 5)  # at 22:13:20 and each minute after it
    told = past(world, since="2023-11-14T22:15:30Z")
    assert contents(told) == [b"4\n", b"3\n", b"2\n"]
    assert [change.when[11:19] for change in told] == ["22:17:20", "22:16:20", "22:15:20"]


def test_only_the_versions_of_that_file_are_fetched_where_the_server_can_filter(world: World, clone: Path) -> None:
    world.git(world.remote(), "config", "uploadpack.allowFilter", "true")
    for number in range(3):
        world.commit(clone, {FILE: f"{number}\n", "big.bin": f"{number}" * 1000}, "feat: change")
    remote = opened(world)
    assert contents(list(remote.file_history("main", FILE))) == [b"2\n", b"1\n", b"0\n"]
    kinds = world.git(store_of(world), "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split()
    assert kinds.count("blob") == 3
    assert "url" not in (store_of(world) / "config").read_text()
    world.commit(clone, {FILE: "3\n"}, "feat: and it goes on from there")
    assert contents(list(remote.file_history("main", FILE)))[:2] == [b"3\n", b"2\n"]


def test_a_shallow_clone_of_ours_hides_nothing(world: World, clone: Path) -> None:
    world.commit(clone, {FILE: "one\n"}, "feat: one")
    world.commit(clone, {FILE: "two\n"}, "feat: two")
    remote = opened(world)
    assert remote.tip("main")  # brought without its history
    assert contents(list(remote.file_history("main", FILE))) == [b"two\n", b"one\n"]


def test_a_branch_that_is_written_anew_is_read_anew(world: World, clone: Path) -> None:
    world.commit(clone, {FILE: "one\n"}, "feat: one")
    assert contents(past(world)) == [b"one\n"]
    world.git(clone, "reset", "--quiet", "--hard", "HEAD^")
    world.commit(clone, {FILE: "other\n"}, "feat: other", push=False)
    world.git(clone, "push", "--quiet", "--force", "origin", "main")
    assert contents(past(world)) == [b"other\n"]


def test_what_a_dead_git_has_locked_is_free_again(world: World, clone: Path) -> None:
    world.commit(clone, {FILE: "one\n"}, "feat: one")
    assert contents(past(world)) == [b"one\n"]
    (ref,) = (store_of(world) / "refs" / "history").iterdir()
    ref.with_name(f"{ref.name}.lock").touch()
    world.commit(clone, {FILE: "two\n"}, "feat: two")
    assert contents(past(world)) == [b"two\n", b"one\n"]


def test_a_branch_that_is_not_there_was_not_seen(world: World) -> None:
    with pytest.raises(Unseen, match="nowhere"):
        past(world, branch="nowhere")


def test_a_remote_that_is_away_was_not_seen(world: World) -> None:
    world.remote().rename(world.folder / "away.git")
    with pytest.raises(Unseen, match="upstream"):
        past(world)


def test_a_long_past_is_read_by_few_processes_and_only_as_far_as_somebody_asks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(world, 2000)
    started: list[str] = []
    start = Runner._start

    def counted(run: Runner, args: Sequence[str], *more: Any) -> Any:
        started.append(args[0])
        return start(run, args, *more)

    monkeypatch.setattr(Runner, "_start", counted)
    assert contents(list(opened(world).file_history("main", FILE))) == [f"{n}\n".encode() for n in range(1999, -1, -1)]
    assert len(started) < 2000 / 100
    started.clear()
    assert contents(list(islice(opened(world).file_history("main", FILE), 2))) == [b"1999\n", b"1998\n"]
    assert started.count("cat-file") == 2  # their sizes, and they themselves


def test_long_files_are_held_a_few_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_history, "AT_ONCE", 10_000)
    grown(world, 10, size=4_000)
    asked: list[int] = []
    call = Runner.__call__

    def counted(run: Runner, *args: str, stdin: bytes = b"") -> bytes:
        if args[:2] == ("cat-file", "--batch"):
            asked.append(stdin.count(b"\n"))
        return call(run, *args, stdin=stdin)

    monkeypatch.setattr(Runner, "__call__", counted)
    assert [change.content[:1] for change in past(world) if change.content] == [
        f"{n}".encode() for n in range(9, -1, -1)
    ]
    assert asked == [2, 2, 2, 2, 2]
