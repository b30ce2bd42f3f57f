"""The step law where a component's files name the version: Pending, apply, then somebody else's turn, and Done by the merge."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from release.core.finding import Done, Pending, Underway
from release.steps.update import UpdateFirst, UpdateReferences
from tests.updating import Component, applied, forged, inspected, plain

LAW = {"UpdateReferences", "UpdateFirst"}


@pytest.mark.parametrize("kind", [UpdateReferences, UpdateFirst])
@pytest.mark.parametrize("opened", [plain, forged])
def test_it_is_proposed_once_waits_and_is_done_by_its_merge(
    tmp_path: Path, kind: type[UpdateReferences], opened: Callable[[Path], AbstractContextManager[Component]]
) -> None:
    with opened(tmp_path) as component:
        first, untouched = component.step(kind=kind), component.everything()
        assert kind.__name__ in LAW
        assert isinstance(inspected(first), Pending)
        assert first.preflight() == ()
        assert isinstance(inspected(first), Pending)
        assert component.everything() == untouched, "looking wrote something"

        waits = applied(first)
        assert isinstance(waits, Underway), waits
        written = component.everything()
        assert applied(first) == waits, "as if the answer had been lost"
        other = component.step(kind=kind, captain="bob")
        assert applied(other) == waits
        assert component.everything() == written, "a second pass changed something"

        merged = component.merge()
        found = inspected(component.step(kind=kind))
        assert isinstance(found, Done), found
        assert found.value.commit == merged
        done = component.everything()
        assert applied(component.step(kind=kind)) == found
        assert component.everything() == done
