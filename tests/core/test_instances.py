"""The number of a component that a promotion releases: what is there is adopted, and nothing is doubled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.config import VersionRules
from release.core.instances import filled, number_in, number_of, numbered_by
from release.core.model import DownstreamWish, UpdateWish
from release.core.naming import naming
from release.core.version import scheme

TAG = "v1.30.2+rke2r1"
RULES = scheme(VersionRules(scheme="semver+revision", revision="rke2r"), "rke2")


def wish(tag: str = f"{TAG}.stable.{{n}}", name: str = "packaging", of: str = "") -> DownstreamWish:
    return DownstreamWish(name, "acme/packaging", "main", tag, of=of)


def test_the_first_is_nought_and_the_highest_that_is_there_is_adopted() -> None:
    assert number_of(wish(), ()) == 0
    assert number_of(wish(), {f"{TAG}.stable.0"}) == 0
    assert number_of(wish(), {f"{TAG}.stable.{n}" for n in (0, 2, 9, 10)}) == 10


@pytest.mark.parametrize(
    "tag",
    [
        f"{TAG}.testing.7", f"{TAG}.stable.07", f"{TAG}.stable.7\u2028", f"{TAG}.stable.-7", f"{TAG}.stable.7.8",
        f"{TAG}.stable.\u0667", f"{TAG}.stable.1234567890", "v1.30.3+rke2r1.stable.7", "v1x30.2+rke2r1.stable.7",
        f"{TAG}.lastest.0", "",
    ],
)  # fmt: skip
def test_a_tag_of_another_channel_of_another_release_or_with_a_typing_error_counts_for_nothing(tag: str) -> None:
    assert number_in(wish(), tag) is None
    assert number_of(wish(), {tag, f"{TAG}.stable.1"}) == 1


@given(st.integers(0, 10**9 - 1))
def test_what_is_filled_in_is_read_back(number: int) -> None:
    assert number_in(wish(), filled(wish(), number).tag) == number


@given(st.integers(0, 10**9 - 1))
def test_the_fleet_reads_the_same_number_in_it(number: int) -> None:
    read = naming("{tag}.{channel}.{n}", RULES).read(filled(wish(), number).tag)
    assert read is not None
    assert (read.release, read.order) == (TAG, ("stable", number))


def test_a_number_that_is_named_twice_is_the_same_one() -> None:
    twice = wish("{n}-v1.0.0.stable.{n}")
    assert number_of(twice, {"3-v1.0.0.stable.3", "4-v1.0.0.stable.5"}) == 3


def test_a_tag_without_a_number_is_as_it_is() -> None:
    assert number_in(wish("v1.0.0"), "v1.0.0") == 0
    assert number_in(wish("v1.0.0"), "v1.0.1") is None
    assert filled(wish("v1.0.0"), 3) == wish("v1.0.0")


def test_all_that_names_the_number_gets_it_and_other_braces_stay() -> None:
    update = UpdateWish("rpm/{n}.spec", "yaml", "{n}", key="a.{n}", template="{n}")
    full = DownstreamWish(
        "packaging", "acme/packaging", "b{n}", "t{n}", run=("x", "{n}{y}"), updates=(update,), inputs={"{n}": "{n}"},
        after_assets=("u{n}",), assets=("a{n}",),
    )  # fmt: skip
    known = filled(full, 4)
    assert (known.branch, known.tag, known.run) == ("b4", "t4", ("x", "4{y}"))
    assert (known.inputs, known.after_assets, known.assets) == ({"{n}": "4"}, ("u4",), ("a4",))
    (written,) = known.updates
    assert (written.path, written.key, written.value) == ("rpm/4.spec", "a.4", "4")
    assert written.template == "{n}", "an older number is read back by it"


def test_what_is_built_on_another_one_has_that_ones_number() -> None:
    wishes = {one.name: one for one in (wish(), wish(name="index", of="packaging"), wish(name="site", of="index"))}
    assert numbered_by(wishes["site"], wishes).name == "packaging"
    assert numbered_by(wishes["packaging"], wishes).name == "packaging"
    assert numbered_by(wish(name="alone", of="upgrade"), wishes).name == "alone"
