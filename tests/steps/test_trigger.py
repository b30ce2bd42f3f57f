"""Which run belongs to a dispatch: the one whose title names the tag, and not a neighbour of it."""

from __future__ import annotations

import pytest

from release.steps.trigger import names


@pytest.mark.parametrize(
    "title",
    [
        "v1.2.3",
        "release v1.2.3",
        "Release v1.2.3.",
        "release v1.2.3, again",
        "(v1.2.3)",
        "v1.2.3: images",
        "release/v1.2.3",
        "refs/tags/v1.2.3",
        "release v1.2.3 of v1.2.30",
        "'v1.2.3'",
    ],
)
def test_a_title_names_a_tag(title: str) -> None:
    assert names(title, "v1.2.3")


@pytest.mark.parametrize(
    "title",
    [
        "",
        "release",
        "v1.2.30",
        "v1.2.3-rc.1",
        "v1.2.3+rke2r1",
        "v1.2.3.4",
        "v1.2.3_x",
        "xv1.2.3",
        "dev-v1.2.3",
        "0.v1.2.3",
        "v1x2x3",
        "V1.2.3",
    ],
)
def test_a_title_that_names_a_neighbour_of_a_tag_does_not_name_it(title: str) -> None:
    assert not names(title, "v1.2.3")


@pytest.mark.parametrize("tag", ["v1.31.2+rke2r1", "sub/v1.0.0", "v1.0.0-rc.1", "tool@1.0", "a(b"])
def test_a_tag_is_taken_literally(tag: str) -> None:
    assert names(f"release {tag} now", tag)
    assert not names(f"release {tag}1 now", tag)
    assert not names(f"release {tag}-rc.1 now", tag)


def test_a_revision_is_not_the_version_that_it_revises() -> None:
    assert not names("release v1.31.2+rke2r1", "v1.31.2")
    assert not names("release v1.31.2+rke2r10", "v1.31.2+rke2r1")
