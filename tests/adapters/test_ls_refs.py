"""The list of a repository's refs as Git's protocol has it; whatever else a server sends is none."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.adapters.git import ls_refs
from release.adapters.git.ls_refs import question, refs
from release.errors import Unseen
from tests.world import World

A, B = "a" * 40, "b" * 40


def line(text: str | bytes) -> bytes:
    content = text if isinstance(text, bytes) else text.encode()
    return f"{len(content) + 4:04x}".encode() + content


def broken(content: bytes) -> str:
    with pytest.raises(Unseen, match="no list of refs") as told:
        refs([content])
    assert told.value.remedy
    return told.value.message


def answered(world: World, body: bytes) -> bytes:
    """What git itself answers."""
    done = subprocess.run(
        ["git", "upload-pack", "--stateless-rpc", str(world.remote())],
        input=body, capture_output=True, check=True, env={**world.environment, "GIT_PROTOCOL": "version=2"},
    )  # fmt: skip
    return done.stdout


def test_git_understands_the_question_and_we_its_answer(world: World) -> None:
    bare = world.remote()
    commit = world.git(bare, "rev-parse", "main")
    world.git(bare, "tag", "-m", "annotated", "v1", "main")
    world.git(bare, "tag", "-m", "a tag of a tag", "v2", "v1")
    world.git(bare, "tag", "plain\u2028", "main")  # real tags end so
    world.git(bare, "update-ref", "refs/pull/1/head", "main")
    tree = world.git(bare, "rev-parse", "main^{tree}")
    world.git(bare, "tag", "tree", tree)
    found = refs([answered(world, question(("refs/heads/", "refs/tags/")))])
    assert found == {
        "refs/heads/main": commit,
        "refs/tags/v1": commit,
        "refs/tags/v2": commit,
        "refs/tags/plain\u2028": commit,
        "refs/tags/tree": tree,
    }


def test_a_name_that_is_not_utf_8_is_shown_with_backslashes() -> None:
    assert refs([line(A.encode() + b" refs/tags/v\xff1\n") + b"0000"]) == {r"refs/tags/v\xff1": A}


@given(st.lists(st.integers(1, 40), max_size=30))
def test_it_does_not_matter_how_the_answer_is_cut_into_pieces(sizes: list[int]) -> None:
    content = line(f"{A} refs/tags/v1 peeled:{B}\n") + line(f"{B} refs/heads/main\n") + b"0000"

    def pieces() -> Iterator[bytes]:
        at = 0
        for size in sizes:
            yield content[at : at + size]
            at += size
        yield content[at:]

    assert refs(pieces()) == {"refs/tags/v1": B, "refs/heads/main": B}


@pytest.mark.parametrize("kept", range(len(line(f"{A} refs/heads/main\n")) + 4))
def test_a_list_that_breaks_off_is_none_wherever_it_does(kept: int) -> None:
    whole = line(f"{A} refs/heads/main\n") + b"0000"
    assert "broke off" in broken(whole[:kept])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "'<!DO'"),
        (b"0001" + b"0000", "'0001'"),
        (b"0004" + b"0000", "'0004'"),
        (b"00FF" + b"x" * 300, "'00FF'"),
        (line(b"# service=git-upload-pack\n") + b"0000", "service"),
        (line("ERR access denied or repository not exported: \x1b[31mx\n"), "access denied"),
        (line(f"{A} HEAD\n") + b"0000", "HEAD"),
        (line(f"{A[:39]} refs/heads/main\n") + b"0000", "refs/heads/main"),
        (line(f"{A} refs/heads/a b\n") + b"0000", "a b"),
        (line(f"{A} refs/heads/a\nb\n") + b"0000", "refs/heads/a"),
        (line("unborn refs/heads/main\n") + b"0000", "unborn"),
        (line(f"{A} refs/heads/main\n") + b"0000" + line(f"{B} refs/heads/more\n") + b"0000", "after its end"),
        (line(f"{A} refs/heads/main\n") + b"0000" + b"x", "after its end"),
    ],
)  # fmt: skip
def test_what_is_not_to_the_letter_a_list_is_none(content: bytes, why: str) -> None:
    said = broken(content)
    assert why in said
    assert said.isprintable()


def test_a_list_without_end_is_given_up_and_never_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ls_refs, "MOST", 1 << 20)
    given = 0

    def endless() -> Iterator[bytes]:
        nonlocal given
        while True:
            given += 1 << 16
            yield line(f"{A} refs/heads/main\n") * ((1 << 16) // 60)

    with pytest.raises(Unseen, match="longer than 1 MiB"):
        refs(endless())
    assert given < 2 << 20
