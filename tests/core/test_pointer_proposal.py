"""The commit and the pull request that move a channel's value: words, marks, and nobody's markup."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core import pointer_proposal as proposal
from release.core.promotion import PointWish

WISH = PointWish("p", "file", branch="main", path="channels.yaml", key="channels[name=stable].latest", channel="stable")
OLD, NEW = "v1.30.1+rke2r1", "v1.30.2+rke2r1"
ONTO, TREE = "a" * 64, "b" * 40
VALUES = st.text(st.characters(codec="utf-8"), max_size=40)


def test_the_commit_is_a_conventional_one_whose_trailers_name_channel_and_move() -> None:
    assert proposal.message(WISH, OLD, NEW) == (
        "chore(channels): stable/channels[name=stable].latest to v1.30.2+rke2r1\n\n"
        "Channel: stable\nChannel-Move: v1.30.1+rke2r1 v1.30.2+rke2r1\n"
    )
    assert "\nChannel-Move: % v1.30.2+rke2r1\n" in proposal.message(WISH, "", NEW)


def test_the_pull_request_says_what_moves_from_where_to_where() -> None:
    body = proposal.body("rke2", WISH, OLD, NEW)
    assert "The channel `stable` of `rke2` moves to `v1.30.2+rke2r1` when this is merged." in body
    assert "- `channels.yaml channels[name=stable].latest`: `v1.30.2+rke2r1`, was `v1.30.1+rke2r1`" in body
    assert proposal.marked(body) == proposal.move(OLD, NEW)


@given(VALUES, VALUES)
def test_the_mark_and_the_claim_tell_the_very_move(old: str, new: str) -> None:
    body = proposal.body("app", WISH, old, new)
    assert proposal.marked(body) == proposal.move(old, new)
    assert body.count("<!--") == body.count("-->") == 1
    claim = proposal.claimed(proposal.asking(WISH, old, new, ONTO, TREE))
    assert claim == proposal.Claim(proposal.move(old, new), ONTO, TREE)
    assert re.fullmatch(r"[!-~]+ [!-~]+", proposal.move(old, new))


@given(VALUES, VALUES, VALUES, VALUES)
def test_two_moves_are_the_same_only_where_both_values_are(a: str, b: str, c: str, d: str) -> None:
    assert (proposal.move(a, b) == proposal.move(c, d)) is ((a, b) == (c, d))


def test_a_draft_and_what_others_write_claim_nothing() -> None:
    assert proposal.claimed(proposal.asking(WISH, OLD, NEW, ONTO)) is None
    assert proposal.claimed(proposal.message(WISH, OLD, NEW)) is None
    assert proposal.claimed(proposal.asking(WISH, OLD, NEW, ONTO, TREE) + "\nSigned-off-by: x\n") is None
    assert proposal.marked("moves <!-- sluice update 1.0.0 -->") == ""


@pytest.mark.parametrize(
    "other", [{"branch": "x"}, {"path": "x.yaml"}, {"key": "x"}, {"channel": "latest"}, {"channel": "../x"}]
)
def test_each_place_of_each_channel_has_a_branch_of_its_own(other: dict[str, str]) -> None:
    branches = {proposal.branch_for(project, one) for project in ("app", "a b~^:?*[\\") for one in (WISH, msgspec.structs.replace(WISH, **other))}  # fmt: skip
    assert len(branches) == 4
    for branch in branches:
        assert re.fullmatch(r"sluice/channel/[A-Za-z0-9_.%-]+/[A-Za-z0-9_.%-]+/[0-9a-f]{12}", branch)
        assert ".." not in branch


HOSTILE = "`<!-- sluice channel a b --> @acme/all [x](javascript:y) -->\x1b[31m"


def test_what_a_file_said_cannot_claim_a_mark_or_be_markup() -> None:
    body = proposal.body(
        HOSTILE, msgspec.structs.replace(WISH, channel=HOSTILE, path=HOSTILE, key=HOSTILE), HOSTILE, NEW
    )
    assert proposal.marked(body) == proposal.move(HOSTILE, NEW)
    assert body.isascii()
    assert all(line.isprintable() for line in body.split("\n"))
    *shown, mark, end = body.split("\n")
    assert (mark.count("--"), mark.endswith(" -->"), end) == (2, True, "")
    for line in shown:
        assert line.count("`") % 2 == 0
        assert "<!--" not in line


def test_a_title_is_one_line_that_forges_take_however_long_its_parts_are() -> None:
    long = msgspec.structs.replace(WISH, channel="c" * 300, key="k\n" * 300)
    title = proposal.title(long, "v" * 300)
    assert len(title) <= 256
    assert title.isprintable()
