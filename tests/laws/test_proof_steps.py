"""The step law for what proves a release: it looks alone, and whatever it finds stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from release.adapters.http import Http
from release.adapters.registry import Registries
from release.core.channel_config import Channel
from release.core.finding import Blocked, Done, Failed, Skipped
from release.core.record import MANIFEST
from release.core.reference import Reference
from release.engine.step import Known, Step
from release.engine.walk import unneeded
from release.errors import Refused
from release.redact import Redactor
from release.steps.given import Given
from release.steps.proved import proofs_of
from tests.pushed import index
from tests.registries import Running, registry
from tests.steps.test_proved import BOTH, FILES, RECORD, RELEASE, Hub, component, hubbed, imaged, in_folder

LAW = {"ProveAssets", "ProveFolder", "ProveImage", "ProveDownstream"}
KINDS = {"proof assets": "ProveAssets", "proof image": "ProveImage", "proof downstream a": "ProveDownstream"}


@pytest.fixture
def registries(tmp_path: Path) -> Iterator[Registries]:
    http = Http({}, Redactor(), backoff=0.001, patience=1.0)
    yield Registries.at({"DOCKER_CONFIG": str(tmp_path), "PATH": ""}, Redactor(), http)
    http.close()


def steps(hub: Hub, registries: Registries, at: Running) -> tuple[Step[str], ...]:
    target = Reference(at.host, "acme/app", "v1.0.0")
    release = msgspec.structs.replace(RELEASE, images=(imaged(target),), downstreams=(component("a"),))
    record = msgspec.structs.replace(RECORD, release=release)
    doors = replace(hub.doors(record), open_registry=lambda: registries)
    return proofs_of(doors, release, Channel("stable"))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("whole", [True, False])
def test_it_looks_alone_and_finds_the_same_again(
    tmp_path: Path, registries: Registries, name: str, whole: bool
) -> None:
    with hubbed(tmp_path, "a") as hub, registry(tmp_path) as at:
        if whole:
            hub.release(FILES)
            hub.release({}, of="a")
            index(at, "acme/app", "v1.0.0", *BOTH)
        step = next(one for one in steps(hub, registries, at) if one.name.startswith(name))
        assert type(step).__name__ == KINDS[name]
        before, held = len(list(hub.forge.exchanges())), kept(tmp_path)
        known = Known(step, {})
        assert step.preflight() == ()
        first = step.inspect(known)
        assert isinstance(first, Done if whole else Blocked), first
        if whole:
            step.apply(known, lambda line: None)
        else:
            with pytest.raises(Refused):
                step.apply(known, lambda line: None)
        assert step.inspect(known) == first
        asked = {one.method for one in list(hub.forge.exchanges())[before:]}
        assert asked <= {"GET", "HEAD"}, "looking wrote something"
        assert kept(tmp_path) == held, "looking wrote something"


def test_once_nothing_needs_it_any_more_nobody_minds_what_it_finds(tmp_path: Path, registries: Registries) -> None:
    with hubbed(tmp_path, "a") as hub, registry(tmp_path) as at:
        proofs = steps(hub, registries, at)
        end = Given("moved", "v1.0.0")
        found: dict[Step[Any], Any] = {step: step.inspect(cast(Known, {})) for step in proofs}
        assert not any(isinstance(one, (Done, Failed)) for one in found.values())
        told = unneeded([*proofs, end], {**found, end: Done("v1.0.0")})
        assert all(isinstance(told[step], Skipped) for step in proofs)


@pytest.mark.parametrize("whole", [True, False])
def test_a_folder_is_read_and_stays_as_it_is(tmp_path: Path, whole: bool) -> None:
    step = in_folder(tmp_path, FILES if whole else {MANIFEST: FILES[MANIFEST]})
    assert step is not None
    assert type(step).__name__ == "ProveFolder"
    known, held = Known(step, {}), files_in(tmp_path)
    first = step.inspect(known)
    assert isinstance(first, Done if whole else Blocked), first
    if whole:
        step.apply(known, lambda line: None)
    else:
        with pytest.raises(Refused):
            step.apply(known, lambda line: None)
    assert step.inspect(known) == first
    assert files_in(tmp_path) == held, "looking wrote something"


def files_in(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with its time."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def kept(folder: Path) -> dict[str, bytes]:
    """What the registry keeps."""
    return {str(path): path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file()}
