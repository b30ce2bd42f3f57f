"""A listing has each tag once: as a release in its place, or by name as none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.config import Config, Project, VersionRules
from release.core.listing import Listed, listed
from release.core.model import Tag
from release.core.version import scheme

TAGS = Path(__file__).parents[2] / "examples" / "rke2" / "tags"
DATE = "2024-05-01T10:00:00+02:00"
RKE2 = Config(version=VersionRules(scheme="semver+revision", revision="rke2r"))
CONFIGS = (Config(), RKE2, Config(version=VersionRules(scheme="pep440")))
LOOKS = re.compile(r"v(\d+)[.](\d+)[.](\d+)(-(?:alpha|beta|rc)\d+)?[+]rke2r(\d+)", re.ASCII)
PARTS = ["v", "1.2.3", "-rc.1", "-rc1", "rc1", "+rke2r1", ".post1", "\u2028", "\udcff", "\n", "9" * 30, "a" * 4000]


def tags(*names: str) -> list[Tag]:
    return [Tag(name, f"{number:040x}", DATE) for number, name in enumerate(names)]


def history(name: str) -> list[Tag]:
    """A line of the file is a commit: its date, its id, and its tags."""
    lines = (TAGS / f"{name}.tsv").read_text(encoding="utf-8").rstrip("\n").split("\n")
    cells = (line.split("\t") for line in lines)
    return [Tag(tag, commit, date) for date, commit, names in cells for tag in names.split(" ")]


def looked_at(name: str) -> tuple[int, int, int, int, int, int] | None:
    """What a captain sees in a tag: X.Y.Z, the revision, how near to the final, and the candidate's number."""
    seen = LOOKS.fullmatch(name)
    if seen is None or any(re.fullmatch(r"0\d+", part) for part in re.findall(r"\d+", name.partition("+")[0])):
        return None
    word = (seen[4] or "").strip("-0123456789")
    nearness = {"alpha": 1, "beta": 2, "rc": 3, "": 4}[word]
    number = int(re.sub(r"\D", "", seen[4] or "0"))
    return int(seen[1]), int(seen[2]), int(seen[3]), int(seen[5]), nearness, number


@pytest.mark.parametrize(
    ("name", "count", "end", "valid"),
    [
        ("rke2", 713, "", True),
        ("system-agent-installer-rke2", 501, "", True),
        ("rke2-upgrade", 682, "", True),
        ("rke2-packaging", 990, "", False),
        ("rke2-packaging", 990, ".latest.0", True),
    ],
)
def test_real_lists_lose_no_valid_tag_and_name_each_invalid_one(name: str, count: int, end: str, valid: bool) -> None:
    known = history(name)
    assert len({tag.name for tag in known}) == len(known) == count
    rules = msgspec.structs.replace(RKE2.version, tag="v{version}" + end)
    found = listed(msgspec.structs.replace(RKE2, version=rules), known)
    seen = {tag.name: looked_at(tag.name.removesuffix(end)) for tag in known if tag.name.endswith(end)}
    places = {tag: place for tag, place in seen.items() if place is not None}
    assert bool(places) is valid
    assert [one.tag for one in found.releases] == sorted(places, key=places.__getitem__)
    assert list(found.invalid) == sorted({tag.name for tag in known} - set(places))
    assert {(one.tag, one.commit, one.date) for one in found.releases} == {
        (tag.name, tag.commit, tag.date) for tag in known if tag.name in places
    }
    for one in found.releases:
        major, minor, *_, nearness, _ = places[one.tag]
        assert (one.version, one.line) == (one.tag[1:].removesuffix(end), f"{major}.{minor}")
        assert one.kind == ("final" if nearness == 4 else "candidate")


def test_the_tag_that_ends_in_a_line_separator_is_named_and_breaks_nothing() -> None:
    found = listed(RKE2, history("rke2"))
    assert "v1.25.15-rc1+rke2r2\u2028" in found.invalid
    assert "v0.0.1-alpha.1" in found.invalid
    assert found.releases[0].tag == "v1.18.9-rc2+rke2r1"


def test_each_release_is_told_whole() -> None:
    (one,) = listed(RKE2, [Tag("v1.33.1-rc2+rke2r3", "c" * 40, DATE)]).releases
    assert one == Listed("v1.33.1-rc2+rke2r3", "1.33.1-rc2+rke2r3", "1.33", "candidate", "c" * 40, DATE)


@pytest.mark.parametrize(
    ("config", "ordered"),
    [
        (Config(), ["v1.0.0-rc.2", "v1.0.0-rc.10", "v1.0.0", "v1.0.0+a", "v1.0.0+b", "v1.2.0", "v1.10.0"]),
        (RKE2, ["v1.9.0+rke2r1", "v1.10.0-rc9+rke2r1", "v1.10.0-rc13+rke2r1", "v1.10.0+rke2r1", "v1.10.0-rc1+rke2r2"]),
        (CONFIGS[2], ["v1.9.0", "v1.10.0a10", "v1.10.0b2", "v1.10.0rc1", "v1.10.0", "v1.10.0.post1"]),
    ],
)
def test_releases_rise_and_equal_ones_go_by_their_texts(config: Config, ordered: list[str]) -> None:
    assert [one.tag for one in listed(config, tags(*reversed(ordered))).releases] == ordered


def test_a_tag_on_no_commit_and_a_tag_of_something_else_are_invalid() -> None:
    config = Config(project=Project(name="tool"), version=VersionRules(tag="{name}-v{version}"))
    found = listed(
        config, [Tag("tool-v1.0.0", "a" * 40, ""), *tags("v1.0.0", "tool-v1.0", "other-v1.0.0", "tool-v2.0.0")]
    )
    assert [one.tag for one in found.releases] == ["tool-v2.0.0"]
    assert found.invalid == ("other-v1.0.0", "tool-v1.0", "tool-v1.0.0", "v1.0.0")


def test_names_of_four_thousand_characters_and_names_that_are_no_text_are_named() -> None:
    odd = ["v1.0.0-" + "a" * 4000, "v" + "1" * 4000 + ".0.0", "v1.0.0-\udcff", "v1.0.0\u2028", "v1.0.0-\ufffd", ""]
    for config in CONFIGS:
        assert listed(config, tags(*odd)) == msgspec.structs.replace(listed(config, []), invalid=tuple(sorted(odd)))


NAMES = st.lists(
    st.lists(st.sampled_from(PARTS), max_size=5).map("".join) | st.text(st.characters(exclude_categories=())),
    unique=True,
)


@given(st.sampled_from(CONFIGS), NAMES, st.randoms(use_true_random=False))
def test_each_tag_is_in_a_listing_once_and_where_it_is_does_not_depend_on_the_order_they_came_in(
    config: Config, names: Sequence[str], chance: Random
) -> None:
    known = tags(*names)
    found = listed(config, known)
    assert sorted([*(one.tag for one in found.releases), *found.invalid]) == sorted(names)
    rules = scheme(config.version)
    assert all((rules.of_tag(name) is None) for name in found.invalid)
    shuffled = list(known)
    chance.shuffle(shuffled)
    assert listed(config, shuffled) == found
