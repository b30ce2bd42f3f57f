"""Stories that the state machine of channels told once, and that ended badly then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laws.harness.channel_commands import back, promotion, typed
from tests.laws.harness.channel_stage import Died, Setup, Stage, Told

pytestmark = pytest.mark.slow


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with pytest.MonkeyPatch.context() as patch, Stage(tmp_path, patch).story(Setup(False, "hold")) as found:
        yield found


def test_who_got_a_version_by_a_first_move_that_was_taken_back_skips_no_minor_either(told: Told) -> None:
    told.released("v1.0.0")
    told.fuse.set(2, after=True)
    with pytest.raises(Died):
        typed(promotion("testing"), told.channels())
    told.fuse.set(0, after=False)
    assert told.images()["testing"] == "v1.0.0", "the image was moved first"
    assert typed(back("testing"), told.channels()).code == 0
    assert told.images()["testing"] == "v1.0.0", "it said nothing before, and is not taken away"
    told.released("v1.3.0")
    said = typed(promotion("testing"), told.channels())
    assert (said.code, said.rules) == (3, frozenset({"minor-skip"})), said
    assert told.images()["testing"] == "v1.0.0"
    told.released("v1.1.0")
    assert typed(promotion("testing"), told.channels()).code == 0
    assert told.images()["testing"] == "v1.1.0"
    assert "testing: v1.1.0" in told.file("main")
