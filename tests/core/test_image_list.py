"""A list of images: what is one, and which lines are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.image_list import SHOWN, Named, listed, named, same
from release.core.oci import Platform
from release.core.reference import Reference

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "image", "digest"),
    [
        ("alpine:3", Reference("docker.io", "library/alpine", "3"), ""),
        ("rancher/klipper-lb:v0.4.9", Reference("docker.io", "rancher/klipper-lb", "v0.4.9"), ""),
        ("registry.example:5000/a/b:1", Reference("registry.example:5000", "a/b", "1"), ""),
        (f"registry.example/a@{DIGEST}", Reference("registry.example", "a", ""), DIGEST),
        (f"localhost/a:1@{DIGEST}", Reference("localhost", "a", "1"), DIGEST),
        (f"alpine@{DIGEST}", Reference("docker.io", "library/alpine", ""), DIGEST),
    ],
)
def test_an_image_goes_by_its_tag_or_its_digest(text: str, image: Reference, digest: str) -> None:
    assert named(text) == Named(text, image, digest)


@pytest.mark.parametrize(
    "text",
    ["alpine", "registry.example/a", "a b:1", "A:1", "https://registry.example/a:1", "a:1:2", "a@sha256:12", f"@{DIGEST}",
     f"a@{DIGEST}@{DIGEST}", f"a@md5:{'0' * 32}", "-a:1", "a:-1", "../a:1", "a:\x1b[31m"],
)  # fmt: skip
def test_anything_else_is_no_image(text: str) -> None:
    assert named(text) is None


def test_comments_and_blank_lines_are_passed_over_and_an_image_counts_once() -> None:
    text = "# what the release needs\n\nalpine:3  # the base\r\n\talpine:3\n  busybox:1\n#alpine:4\n"
    images, wrong = listed(text)
    assert [one.text for one in images] == ["alpine:3", "busybox:1"]
    assert wrong == ()


def test_every_line_that_is_no_image_is_told_with_its_number_and_harmless() -> None:
    images, wrong = listed("alpine:3\nalpine\n\n\x1b]0;x\x07:1\n" + "x" * 200)
    assert [one.text for one in images] == ["alpine:3"]
    assert wrong[:2] == ("line 2 is 'alpine'", "line 4 is '\\x1b]0;x\\x07:1'")
    assert wrong[2].startswith("line 5 is 'xxx")
    assert len(wrong[2]) < 100


def test_many_bad_lines_are_counted() -> None:
    _, wrong = listed("no image\n" * (SHOWN + 7))
    assert len(wrong) == SHOWN + 1
    assert wrong[-1] == "7 more lines"


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    images, wrong = listed(text)
    assert all(one.isprintable() for one in wrong)
    assert all(named(one.text) == one for one in images)


@pytest.mark.parametrize(
    ("platform", "wanted", "fits"),
    [
        (Platform("arm64", "linux", "v8"), "linux/arm64", True),
        (Platform("arm", "linux"), "linux/arm/v7", True),
        (Platform("arm", "linux", "v6"), "linux/arm/v7", False),
        (Platform("amd64", "windows"), "linux/amd64", False),
        (Platform(), "linux/amd64", False),
    ],
)
def test_a_platform_is_compared_as_registries_mean_it(platform: Platform, wanted: str, fits: bool) -> None:
    assert same(platform, wanted) is fits
