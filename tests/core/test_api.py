"""What users lose is major, what they gain is minor."""

from __future__ import annotations

from release.core.api import api_reasons
from release.core.config import Config
from release.core.facts import ApiChange, Facts
from release.core.reasons import MOST


def test_what_users_lose_is_major_and_comes_first() -> None:
    changes = (
        ApiChange("added", "foo.f", "new function", "src/foo/__init__.py"),
        ApiChange("narrowed", "foo.g", "parameter b is gone", "src/foo/a.py"),
        ApiChange("removed", "foo.h", "function is gone", ""),
    )
    told = [(one.source, one.what, one.bump) for one in api_reasons(Config(), Facts(api=changes), ())]
    assert told == [
        ("foo.g", "parameter b is gone (src/foo/a.py)", "major"),
        ("foo.h", "function is gone", "major"),
        ("foo.f", "new function (src/foo/__init__.py)", "minor"),
    ]


def test_ten_thousand_names_are_told_as_a_few_and_the_weightiest_is_among_them() -> None:
    many = [ApiChange("added", f"foo.f{number}", "new function", "") for number in range(10_000)]
    told = list(api_reasons(Config(), Facts(api=(*many, ApiChange("removed", "foo.g", "is gone", ""))), ()))
    assert len(told) == MOST + 1
    assert (told[0].source, told[0].bump) == ("foo.g", "major")
    assert (told[-1].what, told[-1].bump) == ("and 9981 more", "minor")


def test_a_hostile_name_is_safe_to_show() -> None:
    (reason,) = api_reasons(Config(), Facts(api=(ApiChange("added", "f\x1b[2J", "x\u202e\n" * 1000, "p\x07"),)), ())
    assert reason.source.isprintable()
    assert reason.what.isprintable()
