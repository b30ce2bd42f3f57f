"""What a release on a forge says, and how it is known as ours."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.forge import Entry, Published
from release.core.model import Person, Release
from release.core.publication import CUT, LIMIT, NOTICE, entry, is_withdrawn, ours, withdrawn

COMMIT = "c" * 40
TEXTS = st.text(max_size=200)
CLAIMS = st.lists(
    st.sampled_from(["<!-- sluice release v1.0.0 -->", "<!-- sluice", "-->", "\n", " ", "v1.0.0", "x"])
).map("".join)


def release(notes: str = "", tag: str = "v1.0.0", kind: str = "final") -> Release:
    return msgspec.convert(
        {
            "version": tag.removeprefix("v"), "tag": tag, "line": "1.0", "kind": kind, "bump": "minor", "previous": None,
            "branch": "main", "base": "b" * 40, "date": "2030-01-01T00:00:00+00:00", "notes": notes,
            "author": Person("Ada", "ada@example.org"),
        },
        Release, from_attributes=True,
    )  # fmt: skip


def published(said: Entry, **more: bool) -> Published:
    """A release as a forge has it."""
    return Published(1, said.tag, said.name, said.body, said.target, more.get("draft", False), said.prerelease)


def test_a_release_says_its_tag_its_commit_and_its_notes() -> None:
    said = entry(release("### Features\n\n- one\n"), COMMIT)
    assert (said.tag, said.name, said.target, said.prerelease) == ("v1.0.0", "v1.0.0", COMMIT, False)
    assert said.body == "### Features\n\n- one\n\n<!-- sluice release v1.0.0 -->\n"


@pytest.mark.parametrize(("kind", "prerelease"), [("final", False), ("candidate", True)])
def test_a_candidate_is_a_prerelease_and_a_final_is_none(kind: str, prerelease: bool) -> None:
    assert entry(release(kind=kind), COMMIT).prerelease is prerelease


def test_a_release_without_notes_says_only_that_it_is_ours() -> None:
    assert entry(release(), COMMIT).body == "<!-- sluice release v1.0.0 -->\n"


@pytest.mark.parametrize("tag", ["v1.0.0", "v1.31.2+rke2r1", "a/b/v1.0.0-rc.1", "x--v1", "v1>2", "v1-->"])
def test_what_we_made_is_known_by_its_tag_and_by_no_other(tag: str) -> None:
    said = published(entry(release(tag=tag), COMMIT))
    assert ours(said, tag)
    assert not ours(said, f"{tag}0")
    assert not ours(said, tag[:-1])
    assert said.body.count("-->") == 1


def test_a_mark_somewhere_in_foreign_words_makes_nothing_ours() -> None:
    body = entry(release(), COMMIT).body
    assert not ours(Published(1, "v1.0.0", "", "no mark", COMMIT, True, False), "v1.0.0")
    assert not ours(Published(1, "v1.0.0", "", body + "<!-- sluice release v2.0.0 -->", COMMIT, True, False), "v1.0.0")


@given(notes=TEXTS | CLAIMS)
def test_no_notes_can_claim_to_be_another_release(notes: str) -> None:
    said = published(entry(release(notes, tag="v2.0.0"), COMMIT))
    assert ours(said, "v2.0.0")
    assert not ours(said, "v1.0.0")
    assert said.body.count("<!-- sluice") == 1


@pytest.mark.parametrize("length", [LIMIT - 100, LIMIT - 1, LIMIT, LIMIT + 1, 3 * LIMIT])
def test_a_body_never_grows_over_the_limit_and_says_that_there_is_more(length: int) -> None:
    said = published(entry(release("é" * length), COMMIT))
    assert len(said.body) <= LIMIT
    assert ours(said, "v1.0.0")
    assert (CUT in said.body) is (length > LIMIT - 50)


def test_a_withdrawn_release_is_a_prerelease_with_a_notice_on_top_of_its_notes() -> None:
    before = published(entry(release("### Fixes\n\n- one"), COMMIT))
    said = withdrawn(before, "loses data")
    assert said.body == f"{NOTICE}loses data\n\n{before.body}"
    assert (said.tag, said.name, said.target, said.prerelease) == ("v1.0.0", "v1.0.0", COMMIT, True)
    assert is_withdrawn(published(said))
    assert ours(published(said), "v1.0.0")
    assert not is_withdrawn(before)


def test_a_release_is_withdrawn_once() -> None:
    once = withdrawn(published(entry(release("notes"), COMMIT)), "loses data")
    assert withdrawn(published(once), "another reason") == once


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("a\n\nb\t c ", "a b c"),
        ("[x](http://evil)", r"\[x\](http://evil)"),
        ("@everyone <b>", "@&#8203;everyone &lt;b&gt;"),
        ("`rm` **now** _x_ ~y~", r"\`rm\` \*\*now\*\* \_x\_ \~y\~"),
        ("# no heading", r"\# no heading"),
        ("\\[a]", r"\\\[a\]"),
        ("&lt;b&gt; ![i](u)", r"&amp;lt;b&amp;gt; !\[i\](u)"),
        ("\x1b[31mred\x1b[0m \u202eback", r"\[31mred\[0m back"),
        ("<!-- sluice release v9 -->", "&lt;!-- sluice release v9 --&gt;"),
    ],
)
def test_a_reason_is_words_and_no_markup(reason: str, shown: str) -> None:
    said = withdrawn(published(entry(release("notes"), COMMIT)), reason)
    assert said.body.partition("\n\n")[0] == f"{NOTICE}{shown}"


@given(reason=TEXTS | CLAIMS)
def test_no_reason_takes_a_release_from_us_or_gives_it_to_another(reason: str) -> None:
    said = published(withdrawn(published(entry(release("notes"), COMMIT)), reason))
    assert ours(said, "v1.0.0")
    assert is_withdrawn(said)
    assert said.body.splitlines()[2:] == ["", "notes", "", "<!-- sluice release v1.0.0 -->"]


@pytest.mark.parametrize("length", [LIMIT - 40, LIMIT, 2 * LIMIT])
def test_a_notice_fits_on_top_of_the_longest_notes(length: int) -> None:
    said = withdrawn(published(entry(release("n" * length), COMMIT)), "why " * 100)
    assert len(said.body) <= LIMIT
    assert ours(published(said), "v1.0.0")
    assert is_withdrawn(published(said))


def test_a_very_long_reason_leaves_room_for_our_mark() -> None:
    said = withdrawn(published(entry(release("notes"), COMMIT)), "w" * 2 * LIMIT)
    assert len(said.body) <= LIMIT
    assert ours(published(said), "v1.0.0")
    assert is_withdrawn(published(said))


def test_a_release_that_others_made_is_withdrawn_without_becoming_ours() -> None:
    foreign = Published(1, "v1.0.0", "v1.0.0", "by hand", COMMIT, False, False)
    assert not ours(published(withdrawn(foreign, "why")), "v1.0.0")
