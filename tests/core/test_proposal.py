"""A pull request that proposes a release: its words, its mark, and which merged one is waited for."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.config import Config
from release.core.forge import Proposed
from release.core.model import Person, Release, Splice
from release.core.proposal import (
    CUT,
    LIMIT,
    Mark,
    applied,
    awaited,
    body,
    branch_for,
    claimed,
    digest,
    marked,
    message,
    offer,
    title,
    unlisted,
)
from release.core.version import scheme

BASE, MERGE = "b" * 40, "c" * 40
DATE = "2030-01-01T00:00:00+00:00"
RULES = scheme(msgspec.convert({"version": {"scheme": "semver", "candidates": ["rc"]}}, Config).version)
CLAIMS = st.lists(
    st.sampled_from(["<!-- sluice next 9.9.9 major ", BASE, f" {DATE} -->", "<!-", "- sluice", "\n", "x"])
).map("".join)


def release(version: str = "1.0.0", notes: str = "### Added\n\n- one\n") -> Release:
    return Release(
        version=version, tag=f"v{version}", line="1.0", kind="final", bump="minor", previous=None, branch="main",
        base=BASE, date=DATE, author=Person("Ada", "ada@example.org"), notes=notes,
    )  # fmt: skip


def pull(version: str, number: int = 1, merge: str = MERGE, text: str | None = None) -> Proposed:
    """A pull request of ours."""
    said = body(release(version)) if text is None else text
    return Proposed(number, "t", said, not merge, "d" * 40, merge)


def test_a_pull_request_says_the_notes_and_closes_with_the_mark() -> None:
    said = release()
    assert title(said) == "chore(release): v1.0.0"
    assert body(said) == f"### Added\n\n- one\n\n<!-- sluice next 1.0.0 minor {BASE} {DATE} -->\n"
    assert body(release(notes="")) == f"<!-- sluice next 1.0.0 minor {BASE} {DATE} -->\n"
    assert branch_for("release-1.2") == "sluice/next/release-1.2"


@pytest.mark.parametrize("version", ["1.0.0", "1.0.0-rc.1", "1.31.2+rke2r1", "1.0.0-a--b", "1.0.0-a---b"])
def test_the_mark_is_read_as_it_was_written(version: str) -> None:
    said = body(release(version))
    assert marked(said) == Mark(version, "minor", BASE, DATE)
    assert marked(said.replace("\n", "\r\n")) == Mark(version, "minor", BASE, DATE)
    assert said.count("-->") == 1


@given(CLAIMS)
def test_no_notes_can_claim_a_mark(text: str) -> None:
    assert marked(body(release(notes=text))) == Mark("1.0.0", "minor", BASE, DATE)


def test_notes_of_any_length_fit_and_keep_the_mark() -> None:
    said = body(release(notes="x" * (LIMIT + 1)))
    assert len(said) == LIMIT
    assert CUT in said
    assert marked(said) == Mark("1.0.0", "minor", BASE, DATE)
    mark = len(body(release(notes=""))) + 2
    assert CUT not in body(release(notes="x" * (LIMIT - mark)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!-- sluice release v1.0.0 -->",
        f"<!-- sluice next 1.0.0 minor {BASE[1:]} {DATE} -->",
        f"<!-- sluice next 1.0.0 minor {BASE} yesterday -->",
        f"<!-- sluice next 1.0.0 minor {BASE} 2030-01-01T00:00:00 -->",
        f"<!-- sluice next 1.0.0 minor {'g' * 40} {DATE} -->",
    ],
)
def test_what_is_no_mark_is_none(text: str) -> None:
    assert marked(text) is None


def test_a_mark_of_no_version_is_not_ours() -> None:
    assert offer(RULES, pull("01.0.0")) is None
    assert offer(RULES, pull("1.0.0", text="Mine.")) is None
    found = offer(RULES, pull("1.2.0"))
    assert found is not None
    assert (found.version.text, found.merged, found.name) == ("1.2.0", True, "#1")


def of(*pulls: Proposed, tags: tuple[str, ...] = (), burned: tuple[str, ...] = ()) -> str:
    """Which of these is waited for, "" for none."""
    given_up = [version for text in burned if (version := RULES.parse(text))]
    found = awaited(RULES, pulls, tags, given_up)
    return found.version.text if found else ""


def test_the_newest_merged_one_that_nothing_came_of_is_waited_for() -> None:
    older, newer = pull("1.1.0", 1), pull("1.2.0", 2)
    assert of(newer, older) == "1.2.0"
    assert of(newer, older, tags=("v1.1.0",)) == "1.2.0"
    assert of(newer, older, tags=("v1.2.0",)) == ""
    assert of(newer, older, burned=("1.2.0",)) == "1.1.0"
    assert of(newer, older, burned=("1.2.0",), tags=("v1.1.0",)) == ""
    assert of(pull("1.3.0", 3, merge=""), newer) == "1.2.0"
    assert of(pull("1.3.0", 3, text="Mine."), newer) == "1.2.0"
    assert of() == ""


def test_a_list_is_read_no_further_than_to_the_last_release() -> None:
    def listed() -> object:
        yield pull("1.2.0", 2)
        raise AssertionError("the next page was asked for")

    assert awaited(RULES, listed(), ["v1.2.0"], []) is None  # type: ignore[arg-type]


def test_a_commit_claims_the_digest_of_its_files() -> None:
    files = {"b": None, "a": b"one"}
    independent = sha256(b"a\x003\x00oneb\x00-1\x00").hexdigest()
    assert digest(files) == independent
    said = message(release(), independent)
    assert said == f"chore(release): v1.0.0\n\nRelease-Content: {independent}\n"
    assert claimed(said) == claimed(said.strip()) == independent


@pytest.mark.parametrize("text", ["chore(release): v1.0.0\n", "feat: x\n\nRelease-Content: " + "a" * 64, "", "x"])
def test_other_commits_claim_nothing(text: str) -> None:
    assert claimed(text) == ""


@given(st.dictionaries(st.text(max_size=5), st.none() | st.binary(max_size=8), max_size=4), st.text(max_size=5))
def test_no_other_files_have_the_digest(files: dict[str, bytes | None], path: str) -> None:
    other = {**files, path: b"more"}
    assert (digest(other) == digest(files)) == (other == files)


def test_edits_are_applied_from_the_end_and_what_goes_away_is_none() -> None:
    edits = [Splice("a", 0, 1, "ONE"), Splice("a", 2, 3, "TWO"), Splice("n", 0, 0, "new"), Splice("g", 0, 0, "", True)]
    assert applied(edits, {"a": "1 2", "g": "gone"}) == {"a": b"ONE TWO", "n": b"new", "g": None}


def test_a_conflict_names_a_few_paths_and_shows_no_control_characters() -> None:
    found = offer(RULES, pull("1.0.0"))
    assert found is not None
    why = unlisted(found, "v1.0.0", [f"{n}.txt" for n in range(7)] + ["\x1b[31m"]).why
    assert "\x1b" not in why
    assert "and 3 more besides" in why
