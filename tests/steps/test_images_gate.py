"""A gate of kind images, against a real registry: everything that is named is there for each platform, or all is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from release.adapters.http import Http
from release.adapters.registry import Registries
from release.core.finding import Blocked, Done, Failed
from release.core.model import GateWish, Person, Release
from release.core.oci import DOCKER_INDEX, INDEX, MANIFEST
from release.engine.step import Known
from release.errors import Refused, Unseen
from release.ports import Registry, Remote
from release.redact import Redactor
from release.steps import gate_of
from release.steps.doors import Doors
from release.steps.images_gate import ImagesGate
from tests.pushed import image, index, lose, put
from tests.registries import Running, registry

BASE = "c0ffee" * 6 + "c0ff"
AMD64, ARM64 = "linux/amd64", "linux/arm64"
BOTH = (AMD64, ARM64)
DATE = "2026-01-02T03:04:05+00:00"
RELEASE = Release("1.0.0", "v1.0.0", "1.0", "final", "minor", None, "main", BASE, DATE, Person("C", "c@example.org"))


@dataclass(frozen=True)
class Tree:
    """The files of one commit, which is all that the gate asks a remote for."""

    files: dict[str, str]

    def file(self, commit: str, path: str) -> str | None:
        assert commit == BASE
        return self.files.get(path)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def registries(tmp_path: Path) -> Iterator[Registries]:
    with_none = {"DOCKER_CONFIG": str(tmp_path), "PATH": ""}
    http = Http({}, Redactor(), backoff=0.001, patience=1.0)
    yield Registries.at(with_none, Redactor(), http)
    http.close()


def gate(registries: Registry, text: str | None, platforms: Sequence[str] = BOTH) -> ImagesGate:
    wish = GateWish("inputs", kind="images", list="images.txt", platforms=tuple(platforms))
    files = {} if text is None else {"images.txt": text}
    return ImagesGate("gate inputs", RELEASE, wish, cast(Remote, Tree(files)), registries)


def looked(registries: Registry, text: str | None, platforms: Sequence[str] = BOTH) -> Any:
    return gate(registries, text, platforms).inspect(cast(Known, {}))


def test_images_that_are_there_for_every_platform_let_a_release_begin(real: Running, registries: Registries) -> None:
    index(real, "two", "1", *BOTH)
    index(real, "docker", "1", *BOTH, media_type=DOCKER_INDEX)
    text = f"# inputs\n{real.host}/two:1\n\n{real.host}/docker:1 # the old form\n"
    assert looked(registries, text) == Done(BASE, "2 images of images.txt are there")


def test_an_image_by_its_digest_needs_no_tag(real: Running, registries: Registries) -> None:
    (made,) = index(real, "digest", "1", AMD64)
    assert isinstance(looked(registries, f"{real.host}/digest@{made['digest']}", [AMD64]), Done)
    wrong = "sha256:" + "0" * 64
    found = looked(registries, f"{real.host}/digest:1@{wrong}", [AMD64])
    assert isinstance(found, Failed)
    assert f"names what is not there: {real.host}/digest:1@{wrong}" in found.why


def test_an_image_for_one_platform_is_for_the_one_that_its_configuration_names(
    real: Running, registries: Registries
) -> None:
    image(real, "single", ARM64, "1")
    assert isinstance(looked(registries, f"{real.host}/single:1", [ARM64]), Done)
    found = looked(registries, f"{real.host}/single:1", BOTH)
    assert isinstance(found, Failed)
    assert found.why.endswith(f": {real.host}/single:1 for linux/amd64 (it is for linux/arm64)")


def test_everything_that_is_missing_is_told_at_once(real: Running, registries: Registries) -> None:
    index(real, "half", "1", AMD64)
    index(real, "whole", "1", *BOTH)
    named = [f"{real.host}/{name}" for name in ("half:1", "whole:1", "whole:2", "nowhere:1")]
    found = looked(registries, "\n".join(named))
    assert isinstance(found, Failed)
    assert found.why == (
        f"images.txt at c0ffeec0ff names what is not there: {named[0]} for linux/arm64 (it is for linux/amd64); "
        f"{named[2]}; {named[3]}"
    )
    assert found.remedy == "push what is missing, or mend the list; then run the same command again"
    with pytest.raises(Refused, match="names what is not there"):
        gate(registries, "\n".join(named)).apply(cast(Known, {}), lambda line: None)


def test_without_platforms_all_of_an_image_has_to_be_there(real: Running, registries: Registries) -> None:
    index(real, "any", "1", AMD64)
    assert isinstance(looked(registries, f"{real.host}/any:1", ()), Done)
    assert isinstance(looked(registries, f"{real.host}/any:2", ()), Failed)


@pytest.mark.parametrize("platforms", [BOTH, ()])
def test_a_layer_that_is_gone_is_named(tmp_path: Path, registries: Registries, platforms: Sequence[str]) -> None:
    with registry(tmp_path) as own:
        _, arm = index(own, "torn", "1", *BOTH)
        lose(tmp_path, arm["layer"])
        found = looked(registries, f"{own.host}/torn:1", platforms)
        wanted = " for linux/arm64" if platforms else ""
        assert isinstance(found, Failed)
        assert found.why.endswith(f": {own.host}/torn:1{wanted} (without {arm['layer']})")
        assert isinstance(looked(registries, f"{own.host}/torn:1", [AMD64]), Done)


def test_a_registry_that_does_not_answer_is_not_taken_for_an_empty_one(real: Running, registries: Registries) -> None:
    index(real, "there", "1", *BOTH)
    silent = "127.0.0.1:1/a:1"
    with pytest.raises(Unseen):
        looked(registries, f"{real.host}/there:1\n{silent}\n")
    found = looked(registries, f"{real.host}/there:2\n{silent}\n")
    assert isinstance(found, Failed)
    assert f"{real.host}/there:2" in found.why
    assert "127.0.0.1:1" in found.why


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "images.txt at c0ffeec0ff is not there"),
        ("", "images.txt at c0ffeec0ff names no image"),
        ("# none yet\n", "images.txt at c0ffeec0ff names no image"),
        ("a:1\n\x1b[2J\nb\n", "names what is no image: line 2 is '\\x1b[2J'; line 3 is 'b'"),
    ],
)
def test_a_list_that_names_no_image_is_a_persons_to_mend(registries: Registries, text: str | None, said: str) -> None:
    found = looked(registries, text)
    assert isinstance(found, Blocked)
    assert found.conflict.rule == "bad-images"
    assert said in found.conflict.why


def test_a_hostile_index_can_do_nothing_to_a_terminal(real: Running, registries: Registries) -> None:
    (made,) = index(real, "hostile", "1", AMD64)
    entry = {"mediaType": MANIFEST, "digest": made["digest"], "size": made["size"]}
    put(real, "hostile", "2", INDEX, {"manifests": [{**entry, "platform": {"os": "\x1b[31m", "architecture": "x"}}]})
    found = looked(registries, f"{real.host}/hostile:2")
    assert isinstance(found, Failed)
    assert found.why.isprintable()


def test_a_release_asks_no_forge_for_a_gate_of_images(registries: Registries, tmp_path: Path) -> None:
    nothing: Any = None
    remote = cast(Remote, Tree({}))
    doors = Doors(remote, nothing, nothing, nothing, nothing, tmp_path, open_registry=lambda: registries)
    wish = GateWish("inputs", kind="images", list="images.txt")
    made = gate_of(doors, RELEASE, wish)
    assert isinstance(made, ImagesGate)
    assert (made.name, made.wish, made.registry) == ("gate inputs", wish, registries)
