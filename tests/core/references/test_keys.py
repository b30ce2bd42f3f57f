"""Keys are read strictly."""

from __future__ import annotations

import pytest

from release.core.references.keys import Step, Where, steps_of


@pytest.mark.parametrize(
    ("key", "steps"),
    [
        ("a", ("a",)),
        ("image.tag", ("image", "tag")),
        ("a-b.c/d.e_f", ("a-b", "c/d", "e_f")),
        ("items[0].version", ("items", 0, "version")),
        ("[1][2]", (1, 2)),
        ('"a.b"."c\\"d"', ("a.b", 'c"d')),
        ("channels[name=stable].latest", ("channels", Where("name", "stable"), "latest")),
        ('a[name="x]y z"]', ("a", Where("name", "x]y z"))),
        ("a[name=v1.33]", ("a", Where("name", "v1.33"))),
    ],
)
def test_a_key_is_read_step_by_step(key: str, steps: tuple[Step, ...]) -> None:
    assert steps_of(key) == steps


@pytest.mark.parametrize("key", ["", ".a", "a.", "a..b", "a b", "a[", "a[]", "a[b]", "a[-1]", "a[b=]", "a]", '"a', "a\n", "a" * 501, "a[0]b"])  # fmt: skip
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"^it "):
        steps_of(key)
