"""Histories and trees are read in one pass each, as they are, by a store that has no checkout."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import BLOCK, Runner
from release.adapters.git.trees import AT_ONCE
from release.core.model import Commit, Person
from release.errors import ReleaseError
from tests.world import World

MAPPED = "Ada Lovelace <ada@example.org> <ada@old.example>\n"


@pytest.fixture
def remote(world: World) -> GitRemote:
    """The upstream's objects, in a store that borrows them."""
    return GitRemote("x", Runner(store(world.folder / "store.git", world.remote() / "objects")))


Hand = tuple[str, str, Sequence[str], str]
"""A commit: its name, its author, its parents' names, and a .mailmap to write ("" for none)."""


def history(world: World, *commits: Hand) -> dict[str, str]:
    """Those commits on the upstream, an hour apart; name -> id."""
    tree = world.git(world.remote(), "rev-parse", "main^{tree}")
    made: dict[str, str] = {}
    for hour, (name, author, parents, mailmap) in enumerate(commits):
        if mailmap:
            blob = world.git(world.remote(), "hash-object", "-w", "--stdin", stdin=mailmap)
            tree = world.git(world.remote(), "mktree", stdin=f"100644 blob {blob}\t.mailmap\n")
        who, _, email = author.rstrip(">").partition(" <")
        moment = f"{1_700_000_000 + 3600 * hour} +0000"
        env = {**world.environment, "GIT_AUTHOR_NAME": who, "GIT_AUTHOR_EMAIL": email, "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}  # fmt: skip
        above = (part for parent in parents for part in ("-p", made[parent]))
        made[name] = World(world.folder, env).git(world.remote(), "commit-tree", *above, "-m", name, tree)
    return made


LINE: Sequence[Hand] = (
    ("a", "Ada <ada@old.example>", "", ""), ("b", "Bob <bob@example.org>", "a", ""), ("c", "Ada L <ada@example.org>", "b", ""),
)  # fmt: skip


def messages(commits: Iterable[Commit]) -> str:
    return " ".join(commit.message.strip() for commit in commits)


# Logs.


def test_a_lineage_has_children_before_their_parents_whatever_the_clocks_said(world: World, remote: GitRemote) -> None:
    """`d` is the newest by date, and its child `c`, made by a clock that was late, comes first all the same."""
    made = history(
        world, ("e", "A <a@b>", "", ""), ("s", "A <a@b>", "e", ""), ("t", "A <a@b>", "s", ""), ("d", "A <a@b>", "e", ""),
        ("c", "A <a@b>", "dt", ""),
    )  # fmt: skip
    assert messages(remote.commits(made["c"], ())) == "c d t s e"
    assert messages(remote.lineage(made["c"])) == "c t s d e"
    by_hand = world.git(world.remote(), "log", "--topo-order", "--format=%s", made["c"]).split()
    assert messages(remote.lineage(made["c"])) == " ".join(by_hand)


def test_authors_are_as_the_mailmap_of_the_tip_has_them(world: World, remote: GitRemote) -> None:
    """The store is bare and has no HEAD: the commit's own file counts, and not what the person who runs this set up."""
    made = history(world, *LINE, ("d", "Bob <bob@example.org>", "c", MAPPED))
    elsewhere = world.folder / "own-mailmap"
    elsewhere.write_text("Mallory <mallory@example.org> <bob@example.org>\n")
    world.git(world.folder, "config", "--global", "mailmap.file", str(elsewhere))
    ada, bob = Person("Ada L", "ada@example.org"), Person("Bob", "bob@example.org")
    mapped = Person("Ada Lovelace", "ada@example.org")
    assert [commit.author for commit in remote.commits(made["d"], ())] == [bob, ada, bob, mapped]
    before = [commit.author for commit in remote.commits(made["c"], ())]
    assert before == [ada, bob, Person("Ada", "ada@old.example")]


@pytest.mark.parametrize("mailmap", ["<<<>>>\n\0\n", "\xff\n", "# nothing\n"])
def test_a_mailmap_that_says_nothing_hinders_nothing(world: World, remote: GitRemote, mailmap: str) -> None:
    made = history(world, ("a", "Ada <ada@example.org>", "", mailmap))
    assert [commit.author for commit in remote.commits(made["a"], ())] == [Person("Ada", "ada@example.org")]


def test_a_folder_that_is_called_mailmap_is_none(world: World, remote: GitRemote) -> None:
    clone = world.clone("ada")
    tip = world.commit(clone, {".mailmap/x": MAPPED}, "feat: x")
    assert {commit.author.email for commit in remote.commits(tip, ())} == {"seed@email"}


def test_messages_longer_than_a_block_and_shorter_ones_are_read_as_they_are(world: World, remote: GitRemote) -> None:
    """So that fields and characters of several bytes lie across the ends of blocks in every way."""
    texts = ["é" * size for size in (BLOCK // 2 - 100, BLOCK, 1, 3 * BLOCK, BLOCK // 2, 7)]
    lines: list[str] = []
    for text in texts:
        lines += [
            "commit refs/heads/long",
            "committer Ü <ü@b> 1700000000 +0000",
            f"data {len(text.encode())}",
            text,
            "",
        ]
    world.git(world.remote(), "fast-import", "--quiet", stdin="\n".join(lines))
    tip = world.refs()["refs/heads/long"]
    found = list(remote.commits(tip, ()))
    assert [commit.message for commit in found] == [f"{text}" for text in reversed(texts)]
    assert {commit.author for commit in found} == {Person("Ü", "ü@b")}
    assert len({id(commit.author) for commit in found}) == 1


# Authors that were here before.


def test_known_are_those_who_are_authors_of_something_before(world: World, remote: GitRemote) -> None:
    made = history(world, *LINE, ("d", "Cleo <cleo@example.org>", "c", MAPPED))
    everybody = {"ada@example.org", "ada@old.example", "bob@example.org", "cleo@example.org", "nobody@example.org", ""}
    assert remote.known(made["d"], everybody) == {"ada@example.org", "bob@example.org", "cleo@example.org"}
    assert remote.known(made["c"], everybody) == {"ada@example.org", "ada@old.example", "bob@example.org"}
    assert remote.known(made["a"], ["ada@example.org"]) == frozenset()
    assert remote.known(made["a"], ["ada@example.org"], mailmap=made["d"]) == {"ada@example.org"}
    assert remote.known(made["a"], []) == frozenset()
    assert remote.known(made["b"], ["BOB@Example.org", "bob@example.org", "bob"]) == {
        "BOB@Example.org",
        "bob@example.org",
    }


def test_one_looks_no_further_than_to_the_last_one_that_was_missing(world: World) -> None:
    """Behind a hole in the history there is nobody to be found: git would say so."""
    made = history(world, ("a", "Ada <ada@example.org>", "", ""), ("b", "Bob <bob@example.org>", "a", ""))
    path = world.remote() / "objects" / made["a"][:2] / made["a"][2:]
    path.unlink()
    remote = GitRemote("x", Runner(world.remote()))
    with pytest.raises(ReleaseError):
        remote.known(made["b"], ["ada@example.org"])


# Trees.


def test_what_changed_is_named_with_its_letter(world: World, remote: GitRemote) -> None:
    clone = world.clone("ada")
    old = world.commit(
        clone, {"same": "1", "gone": "2", "other": "3", "deep/er/file": "4", "moved": "5" * 99}, "feat: x"
    )
    (clone / "gone").unlink()
    (clone / "other").unlink()
    (clone / "other").symlink_to("same")
    (clone / "moved").rename(clone / "a b\t\n\"ü'")
    new = world.commit(clone, {"deep/er/file": "5", "deep/new": "6"}, "feat: y")
    assert remote.changed(old, new) == (
        ("A", "a b\t\n\"ü'"), ("M", "deep/er/file"), ("A", "deep/new"), ("D", "gone"), ("D", "moved"), ("T", "other"),
    )  # fmt: skip
    assert remote.changed(new, new) == ()
    assert remote.changed("", old) == tuple(("A", path) for path in ("README", "deep/er/file", "gone", "moved", "other", "same"))  # fmt: skip


def test_what_changed_in_a_merge_is_what_differs_from_the_commit_given(world: World, remote: GitRemote) -> None:
    clone = world.clone("ada")
    begin = world.commit(clone, {"a": "1"}, "feat: a")
    world.git(clone, "checkout", "--quiet", "-b", "side")
    side = world.commit(clone, {"b": "1"}, "feat: b")
    world.git(clone, "checkout", "--quiet", "main")
    world.commit(clone, {"c": "1"}, "feat: c")
    world.git(clone, "merge", "--quiet", "--no-ff", "-m", "merge", "side")
    world.git(clone, "push", "--quiet", "origin", "main")
    merge = world.git(clone, "rev-parse", "HEAD")
    assert remote.changed(begin, merge) == (("A", "b"), ("A", "c"))
    assert remote.changed(side, merge) == (("A", "c"),)


def full(world: World, clone: Path) -> str:
    """A commit with files, links and a submodule."""
    for path, target in {"pkg/inner": "mod.py", "pkg/out": "../../../etc", "top": "pkg"}.items():
        (clone / path).parent.mkdir(exist_ok=True)
        (clone / path).symlink_to(target)
    (clone / "pkg/sub").mkdir()
    world.git(clone, "update-index", "--add", "--cacheinfo", f"160000,{world.refs()['refs/heads/main']},pkg/sub")
    made = world.commit(clone, {"pkg/mod.py": "x = 1\n", "pkg/deep/ü.py": "y", "pkg2/z": "z", "run.sh": "#!/bin/sh\n", "pkg/empty": ""}, "feat: x")  # fmt: skip
    assert "160000" in world.git(clone, "ls-tree", "-r", made)
    return made


def test_the_plain_files_under_a_folder_are_listed(world: World, remote: GitRemote) -> None:
    clone = world.clone("ada")
    (clone / "run.sh").touch(mode=0o755)
    made = full(world, clone)
    assert remote.tree(made, "pkg") == remote.tree(made, "pkg/") == ("pkg/deep/ü.py", "pkg/empty", "pkg/mod.py")
    assert remote.tree(made, "") == ("README", "pkg/deep/ü.py", "pkg/empty", "pkg/mod.py", "pkg2/z", "run.sh")
    assert remote.tree(made, "run.sh") == remote.tree(made, "nothing") == remote.tree(made, "p*") == ()


def test_files_are_exported_as_they_are_and_links_are_not(world: World, remote: GitRemote, tmp_path: Path) -> None:
    """Attributes that make `git archive` leave out or change files make no difference."""
    clone = world.clone("ada")
    world.commit(clone, {".gitattributes": "pkg/mod.py export-ignore\n*.py eol=crlf\npkg2/z export-subst\n"}, "x")
    made = full(world, clone)
    made = world.commit(clone, {"pkg2/z": "$Format:%H$"}, "feat: y")
    target = tmp_path / "made" / "here"
    remote.export(made, ["pkg", "pkg2/", "nothing"], target)
    found = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if not path.is_dir()}
    assert found == {"pkg/deep/ü.py": b"y", "pkg/empty": b"", "pkg/mod.py": b"x = 1\n", "pkg2/z": b"$Format:%H$"}
    one = tmp_path / "one"
    remote.export(made, ["README"], one)
    assert [path.name for path in one.iterdir()] == ["README"]
    remote.export(made, [], tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_more_than_is_held_at_once_is_exported_in_portions(world: World, remote: GitRemote, tmp_path: Path) -> None:
    clone = world.clone("ada")
    texts = {f"big/{n}": str(n) * size for n, size in enumerate((AT_ONCE // 2, AT_ONCE // 2, 1, AT_ONCE + 1, 0, 5))}
    made = world.commit(clone, texts, "feat: x")
    remote.export(made, ["big"], tmp_path / "out")
    assert {f"big/{path.name}": path.read_text() for path in (tmp_path / "out/big").iterdir()} == texts


@pytest.mark.parametrize("name", ["..", ".git", "."])
def test_a_path_that_leads_out_of_the_folder_is_refused(
    world: World, remote: GitRemote, tmp_path: Path, name: str
) -> None:
    blob = world.git(world.remote(), "hash-object", "-w", "--stdin", stdin="x")
    tree = b"100644 evil\0" + bytes.fromhex(blob)
    inner = hand_made(world, "tree", tree)
    outer = hand_made(world, "tree", f"40000 {name}\0".encode() + bytes.fromhex(inner))
    root = hand_made(world, "tree", b"40000 pkg\0" + bytes.fromhex(outer))
    commit = world.git(world.remote(), "commit-tree", "-m", "x", root)
    with pytest.raises(ReleaseError, match="evil"):
        remote.export(commit, ["pkg"], tmp_path / "out" / "deep")
    assert not (tmp_path / "out").exists()


def hand_made(world: World, kind: str, content: bytes) -> str:
    path = world.folder / "object"
    path.write_bytes(content)
    return world.git(world.remote(), "hash-object", "-t", kind, "-w", "--literally", str(path))


def test_a_file_that_cannot_be_written_is_told(world: World, remote: GitRemote, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReleaseError, match="README cannot be written: "):
        remote.export(world.refs()["refs/heads/main"], ["README"], tmp_path / "file" / "x")


@pytest.mark.parametrize("read", [
    lambda remote, commit: list(remote.lineage(commit)), lambda remote, commit: remote.known(commit, ["x"]),
    lambda remote, commit: remote.changed("", commit), lambda remote, commit: remote.tree(commit, ""),
    lambda remote, commit: remote.export(commit, ["README"], Path(os.devnull)),
])  # fmt: skip
def test_what_is_not_here_is_an_error_and_never_nothing(
    remote: GitRemote, read: Callable[[GitRemote, str], object]
) -> None:
    with pytest.raises(ReleaseError):
        read(remote, "1" * 40)
