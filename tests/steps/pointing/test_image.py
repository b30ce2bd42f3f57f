"""A channel's tag is moved by digest, whole index, on a real registry; who was there in between is not written over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from release.adapters.http import Http
from release.adapters.registry import Registries
from release.core.finding import Conflict
from release.core.promotion import PointWish
from release.core.reference import Reference
from release.errors import Refused, Uncertain, Unseen
from release.redact import Redactor
from release.sandbox.registry import Fault, SandboxRegistry
from release.steps.pointing.image import ImagePointer
from tests.registries import INDEX, REAL, Made, Running, image

NAME = "acme/runtime"
PLACES = ["registry", "registry with a password", "sandbox", "sandbox with tokens"]


@dataclass
class Shelf:
    """A registry with two versions of an image; `first` and `second` are their indexes."""

    running: Running
    client: Registries
    first: Made
    second: Made
    said: list[str] = field(default_factory=list)

    def ref(self, tag: str) -> Reference:
        return Reference(self.running.host, NAME, tag)

    def pointer(self, version: str, client: Any = None) -> ImagePointer:
        wish = PointWish("image", "image", self.ref("stable"), self.ref(version), channel="stable")
        return ImagePointer(wish, lambda: client or self.client)

    def named(self, tag: str = "stable") -> str:
        return self.client.digest(str(self.ref(tag)))


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Callable[[Running], Registries]]:
    https = list[Http]()

    def client(running: Running) -> Registries:
        docker = tmp_path / f"docker-{len(https)}"
        docker.mkdir()
        (docker / "config.json").write_text(json.dumps(running.docker))
        https.append(Http({}, Redactor(), backoff=0.001, patience=1.0))
        return Registries.at({"DOCKER_CONFIG": str(docker)}, Redactor(), https[-1])

    yield client
    for http in https:
        http.close()


def filled(running: Running, client: Registries, folder: Path) -> Shelf:
    first, second = (image(folder / name, name) for name in ("first", "second"))
    shelf = Shelf(running, client, first, second)
    for tag, made in (("v1.0.0", first), ("v1.1.0", second)):
        client.push(made.layout, made.digest, shelf.ref(tag), shelf.said.append)
    return shelf


@pytest.fixture(params=PLACES)
def shelf(request: pytest.FixtureRequest, tmp_path: Path, clients: Callable[[Running], Registries]) -> Iterator[Shelf]:
    (tmp_path / "place").mkdir()
    with REAL[request.param](tmp_path / "place") as running:
        yield filled(running, clients(running), tmp_path)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxRegistry]:
    with SandboxRegistry(tmp_path / "place") as served:
        yield served


@pytest.fixture
def beside(sandbox: SandboxRegistry, tmp_path: Path, clients: Callable[[Running], Registries]) -> Shelf:
    """In a registry where hands can interfere."""
    running = Running(sandbox.host)
    return filled(running, clients(running), tmp_path)


def test_the_tag_is_made_then_moved_to_the_very_index_with_every_platform(shelf: Shelf) -> None:
    pointer = shelf.pointer("v1.0.0")
    assert (pointer.name, pointer.reads(), pointer.wanted()) == ("image", "", shelf.first.digest)
    assert pointer.lacking() == ()
    assert pointer.reads() == "", "looking wrote something"
    pointer.move("", shelf.first.digest, shelf.said.append)
    assert pointer.reads() == shelf.first.digest
    later = shelf.pointer("v1.1.0")
    assert later.wanted() == shelf.second.digest
    later.move(shelf.first.digest, shelf.second.digest, shelf.said.append)
    found = shelf.client.document(shelf.ref("stable"))
    assert found is not None
    assert (found.media_type, found.content) == (INDEX, shelf.second.content[shelf.second.digest])
    assert shelf.client.missing(shelf.ref("stable"), shelf.second.digest) == ()
    assert shelf.named("v1.0.0") == shelf.first.digest, "a version's own tag stays"


def test_a_second_time_changes_nothing_and_it_goes_back_the_same_way(shelf: Shelf) -> None:
    pointer = shelf.pointer("v1.1.0")
    shelf.client.tag(shelf.ref("stable"), shelf.first.digest)
    for _ in range(2):
        pointer.move(shelf.first.digest, shelf.second.digest, shelf.said.append)
        assert shelf.named() == shelf.second.digest
    pointer.move(shelf.second.digest, shelf.first.digest, shelf.said.append)
    assert shelf.named() == shelf.first.digest


def test_a_source_that_is_not_there_is_told_with_what_to_do(beside: Shelf) -> None:
    found = beside.pointer("v9.9.9").wanted()
    assert isinstance(found, Conflict)
    assert (found.rule, f"{NAME}:v9.9.9, which is not there" in found.why) == ("no-image", True)


def test_what_somebody_else_moved_meanwhile_stays(beside: Shelf, sandbox: SandboxRegistry) -> None:
    other = beside.running.push(NAME, "by-hand")
    sandbox.tag(NAME, "stable", other)
    with pytest.raises(Refused, match=rf"image says {other} by now, and said {beside.first.digest}"):
        beside.pointer("v1.1.0").move(beside.first.digest, beside.second.digest, beside.said.append)
    with pytest.raises(Refused, match="and said nothing when the move began"):
        beside.pointer("v1.1.0").move("", beside.second.digest, beside.said.append)
    assert sandbox.tags(NAME)["stable"] == other


class Raced:
    """A registry where somebody moves the tag as soon as we have."""

    def __init__(self, beside: Shelf, sandbox: SandboxRegistry, other: str) -> None:
        self._client, self._sandbox, self._other = beside.client, sandbox, other

    def digest(self, reference: str) -> str:
        return self._client.digest(reference)

    def tag(self, image: Reference, digest: str) -> None:
        self._client.tag(image, digest)
        self._sandbox.tag(NAME, image.tag, self._other)


def test_of_two_who_move_it_at_once_the_first_finds_out(beside: Shelf, sandbox: SandboxRegistry) -> None:
    sandbox.tag(NAME, "stable", beside.first.digest)
    other = beside.running.push(NAME, "theirs")
    pointer = beside.pointer("v1.1.0", Raced(beside, sandbox, other))
    with pytest.raises(Uncertain, match="somebody else moves it, too"):
        pointer.move(beside.first.digest, beside.second.digest, beside.said.append)
    assert sandbox.tags(NAME)["stable"] == other


def test_a_lost_answer_is_looked_after_and_not_repeated(beside: Shelf, sandbox: SandboxRegistry) -> None:
    sandbox.faults(Fault("PUT", "*/manifests/stable", when="after", reset=True))
    pointer = beside.pointer("v1.0.0")
    with pytest.raises(Uncertain):
        pointer.move("", beside.first.digest, beside.said.append)
    assert pointer.reads() == beside.first.digest


def test_what_was_put_and_cannot_be_looked_at_is_perhaps_done(beside: Shelf, sandbox: SandboxRegistry) -> None:
    sandbox.faults(*(Fault("GET", "*/manifests/stable", nth=nth, status=500) for nth in range(2, 9)))
    with pytest.raises(Uncertain):
        beside.pointer("v1.0.0").move("", beside.first.digest, beside.said.append)
    assert sandbox.tags(NAME)["stable"] == beside.first.digest


def test_a_registry_that_does_not_answer_names_nothing_absent(beside: Shelf, sandbox: SandboxRegistry) -> None:
    sandbox.faults(Fault("GET", "*/manifests/*", nth=0, status=500))
    with pytest.raises(Unseen):
        beside.pointer("v1.0.0").reads()
    with pytest.raises(Unseen):
        beside.pointer("v1.0.0").wanted()


def test_a_tag_that_was_not_there_before_is_not_taken_away(beside: Shelf) -> None:
    beside.client.tag(beside.ref("stable"), beside.first.digest)
    with pytest.raises(Refused, match="delete it by hand"):
        beside.pointer("v1.0.0").move(beside.first.digest, "", beside.said.append)
    assert beside.named() == beside.first.digest


def test_who_may_not_push_is_told_beforehand(tmp_path: Path, clients: Callable[[Running], Registries]) -> None:
    (tmp_path / "place").mkdir()
    with REAL["registry with a password"](tmp_path / "place") as running:
        stranger = clients(Running(running.host))
        wish = PointWish("image", "image", Reference(running.host, NAME, "stable"), Reference(running.host, NAME, "v1"))
        (conflict,) = ImagePointer(wish, lambda: stranger).lacking()
        assert conflict.rule == "registry-right"
        assert f"docker login {running.host}" in conflict.remedy
        assert (
            requests.get(f"http://{running.host}/v2/{NAME}/tags/list", auth=running.login, timeout=10).status_code
            == 404
        )
