"""What proves a release, against a real registry and the embedded forge: everything that is not as it should be is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from release.adapters.disk import Disk
from release.adapters.github import GitHub
from release.adapters.http import Http
from release.adapters.registry import Registries
from release.core.channel_config import Channel
from release.core.config import VersionRules
from release.core.finding import Blocked, Done, Failed, Finding, Pending, Underway
from release.core.manifest import documents
from release.core.model import ArtifactWish, DownstreamWish, ImagePart, ImageWish, Person, Release, UpdateWish
from release.core.promotion import PointWish
from release.core.record import MANIFEST, Proof, Record, State
from release.core.reference import Reference
from release.core.version import scheme
from release.engine.step import Known, Step
from release.errors import Refused, Unseen
from release.ports import Ledger, Registry
from release.redact import Redactor
from release.sandbox.forge import Fault, Sandbox
from release.steps.doors import Doors
from release.steps.prove_assets import ProveAssets
from release.steps.prove_downstream import ProveDownstream
from release.steps.prove_image import ProveImage
from release.steps.proved import proofs_of
from tests.forge import Client, clone, serving
from tests.pushed import image, index, lose, put
from tests.registries import Running, registry

ADA = Person("Ada", "ada@example.org")
COMMIT = "c0ffee" * 6 + "c0ff"
DATE = "2026-01-02T03:04:05+00:00"
AMD64, ARM64 = "linux/amd64", "linux/arm64"
BOTH = (AMD64, ARM64)
RELEASE = Release(
    "1.0.0", "v1.0.0", "1.0", "final", "minor", None, "master", COMMIT, DATE, ADA, forge="github",
    artifacts=(ArtifactWish("tool", ("make",), AMD64),),
)  # fmt: skip
STABLE = Channel("stable")
NOTHING = cast(Known, {})


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def registries(tmp_path: Path) -> Iterator[Registries]:
    http = Http({}, Redactor(), backoff=0.001, patience=1.0)
    yield Registries.at({"DOCKER_CONFIG": str(tmp_path), "PATH": ""}, Redactor(), http)
    http.close()


def proof(
    registries: Registry,
    at: Running,
    name: str,
    platforms: Sequence[str] = BOTH,
    told: tuple[tuple[str, str], ...] = (),
) -> ProveImage:
    target = Reference(at.host, name, "v1.0.0")
    return ProveImage(f"proof image {target}", RELEASE, target, tuple(platforms), told, registries, "push it again")


def unproved(found: Finding[str]) -> str:
    """What is told of something that is not as it has to be."""
    assert isinstance(found, Blocked), found
    assert found.conflict.rule == "unproved"
    assert found.conflict.remedy
    return found.conflict.why


def test_an_image_that_can_be_pulled_on_every_platform_is_proved_by_its_digest(
    real: Running, registries: Registries
) -> None:
    index(real, "whole", "v1.0.0", *BOTH)
    document = registries.document(Reference(real.host, "whole", "v1.0.0"))
    assert document is not None
    step = proof(registries, real, "whole", told=(("the record", document.digest),))
    found = step.inspect(NOTHING)
    assert isinstance(found, Done), found
    assert found.value == f"{real.host}/whole:v1.0.0@{document.digest} for linux/amd64, linux/arm64"


def test_a_platform_that_is_missing_is_named(real: Running, registries: Registries) -> None:
    index(real, "half", "v1.0.0", AMD64)
    step = proof(registries, real, "half")
    assert unproved(step.inspect(NOTHING)) == f"v1.0.0 is not proved: {real.host}/half:v1.0.0 lacks linux/arm64"
    with pytest.raises(Refused, match="lacks linux/arm64"):
        step.apply(NOTHING, lambda line: None)
    assert isinstance(proof(registries, real, "half", [AMD64]).inspect(NOTHING), Done)
    assert isinstance(proof(registries, real, "half", []).inspect(NOTHING), Done)


def test_an_image_that_is_not_there_is_told(real: Running, registries: Registries) -> None:
    image(real, "other", AMD64, "v0.9.0")
    for name in ("other", "nowhere"):
        why = unproved(proof(registries, real, name).inspect(NOTHING))
        assert why == f"v1.0.0 is not proved: there is no image {real.host}/{name}:v1.0.0"


def test_an_image_that_somebody_pushed_over_is_not_the_one_that_was_made(real: Running, registries: Registries) -> None:
    index(real, "over", "v1.0.0", *BOTH)
    first = registries.document(Reference(real.host, "over", "v1.0.0"))
    put(real, "over", "v1.0.0", "application/vnd.oci.image.index.v1+json", {"manifests": []})
    assert first is not None
    why = unproved(proof(registries, real, "over", (), (("the record", first.digest),)).inspect(NOTHING))
    assert why.endswith(f", and the record says {first.digest[:19]}")


@pytest.mark.parametrize("part", ["layer", "digest"])
@pytest.mark.parametrize("platforms", [BOTH, (AMD64,), ()])
def test_a_part_of_one_platform_that_is_gone_is_told_with_the_platform(
    tmp_path: Path, registries: Registries, part: str, platforms: Sequence[str]
) -> None:
    with registry(tmp_path) as own:
        _, arm = index(own, "torn", "v1.0.0", *BOTH)
        lose(tmp_path, arm[part])
        why = unproved(proof(registries, own, "torn", platforms).inspect(NOTHING))
        assert why == f"v1.0.0 is not proved: {own.host}/torn:v1.0.0 lacks linux/arm64 (without {arm[part]})"


def test_an_image_for_one_platform_is_for_the_one_that_its_configuration_names(
    real: Running, registries: Registries
) -> None:
    image(real, "single", ARM64, "v1.0.0")
    assert isinstance(proof(registries, real, "single", [ARM64]).inspect(NOTHING), Done)
    assert isinstance(proof(registries, real, "single", []).inspect(NOTHING), Done)
    assert unproved(proof(registries, real, "single", [AMD64]).inspect(NOTHING)).endswith(" lacks linux/amd64")
    assert unproved(proof(registries, real, "single").inspect(NOTHING)).endswith(" lacks linux/amd64")


def test_a_layer_of_an_image_for_one_platform_that_is_gone_is_named(tmp_path: Path, registries: Registries) -> None:
    with registry(tmp_path) as own:
        made = image(own, "bare", AMD64, "v1.0.0")
        lose(tmp_path, made["layer"])
        assert unproved(proof(registries, own, "bare", [AMD64]).inspect(NOTHING)).endswith(f" lacks {made['layer']}")


def test_a_registry_that_does_not_answer_is_not_taken_for_an_empty_one(registries: Registries) -> None:
    with pytest.raises(Unseen):
        proof(registries, Running("127.0.0.1:1"), "a").inspect(NOTHING)


# Files on a forge


BUILT = b"bytes of the tool"
FACTS = [("tool", sha256(BUILT).hexdigest(), len(BUILT))]
FILES = {"tool": BUILT, **{name: text.encode() for name, text in documents(RELEASE, COMMIT, FACTS).items()}}
RECORD = Record(
    "1.0", "t" * 40, RELEASE, State("finished", COMMIT, ADA, DATE),
    {"build tool": Proof(sha256=FACTS[0][1], size=FACTS[0][2])},
)  # fmt: skip


@dataclass
class Notes:
    """Of all that a ledger does only what a proof asks it."""

    record: Record | None = None

    def latest(self, release: Release) -> Record | None:
        return self.record

    fresh = latest


@dataclass
class Hub:
    """A forge with an upstream and components, as a captain sees it."""

    forge: Sandbox
    captain: Client
    github: GitHub
    folder: Path

    def release(self, files: Mapping[str, bytes], of: str = "app", tag: str = "v1.0.0", **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.captain.post(f"/repos/acme/{of}/releases", tag_name=tag, **more)
        for name, content in files.items():
            assert self.captain.upload(made, name, content).status_code == 201
        return made

    def doors(self, record: Record | None = None) -> Doors:
        nothing: Any = None

        def forge_of(wish: DownstreamWish) -> Any:
            return self.github.forge(wish.repository)

        ledger, upstream = cast(Ledger, Notes(record)), self.github.forge("acme/app")
        return Doors(
            nothing, ledger, nothing, nothing, lambda wish: nothing, self.folder,
            forge=upstream, forge_of=forge_of, rules=scheme(VersionRules()),
        )  # fmt: skip

    def assets(self, record: Record | None = RECORD) -> Finding[str]:
        """What the proof of the files finds."""
        found = proofs_of(self.doors(record), RELEASE, STABLE)
        (step,) = found
        assert isinstance(step, ProveAssets)
        return step.inspect(NOTHING)


@contextmanager
def hubbed(folder: Path, *components: str) -> Iterator[Hub]:
    with serving(folder / "forge") as forge:
        for name in ("app", *components):
            forge.repository(f"acme/{name}", push=("captain",))
            clone(forge, forge.token("captain"), f"acme/{name}", folder / name)
        captain = Client(forge, forge.token("captain"))
        github = GitHub.at({"GITHUB_API_URL": forge.api_url, "GH_TOKEN": captain.token})
        yield Hub(forge, captain, github, folder)
        captain.close()
        github.close()


@pytest.mark.parametrize("record", [RECORD, None])
def test_a_release_with_all_its_files_is_proved_without_fetching_them(tmp_path: Path, record: Record | None) -> None:
    with hubbed(tmp_path) as hub:
        made = hub.release(FILES)
        found = hub.assets(record)
        assert isinstance(found, Done), found
        sure = len(FILES) if record else len(FILES) - 1  # nobody else says what the manifest itself is
        assert found.value == f"{len(FILES)} assets of v1.0.0 in acme/app, {sure} of them by digest"
        fetched = [one.path for one in hub.forge.exchanges() if one.method == "GET" and "/releases/assets/" in one.path]
        manifest = next(
            one["id"]
            for one in hub.captain.get(f"/repos/acme/app/releases/{made['id']}/assets")
            if one["name"] == MANIFEST
        )
        assert {path.rpartition("/")[2] for path in fetched} <= {str(manifest)}


@pytest.mark.parametrize("name", FILES)
def test_an_asset_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    with hubbed(tmp_path) as hub:
        hub.release({one: content for one, content in FILES.items() if one != name})
        assert unproved(hub.assets()).startswith(f"v1.0.0 is not proved: its release in acme/app lacks {name}")


def test_an_asset_that_nobody_made_and_one_with_other_bytes_are_told_at_once(tmp_path: Path) -> None:
    with hubbed(tmp_path) as hub:
        hub.release({**FILES, "tool": b"other bytes", "virus.exe": b"!"})
        why = unproved(hub.assets())
        assert "has virus.exe, which nobody made for it" in why
        other = sha256(b"other bytes").hexdigest()[:12]
        assert f"has another tool: its bytes have sha256 {other}, and the manifest says {FACTS[0][1][:12]}" in why


def test_an_asset_that_is_only_half_uploaded_is_missing(tmp_path: Path) -> None:
    with hubbed(tmp_path) as hub:
        made = hub.release({name: content for name, content in FILES.items() if name != "tool"})
        hub.forge.faults(Fault("POST", "/repos/*/releases/*/assets", status=502, starter=True))
        assert hub.captain.upload(made, "tool", BUILT).status_code == 502
        assert unproved(hub.assets()).endswith("its release in acme/app lacks tool")


def test_a_draft_and_no_release_at_all_are_nothing_that_users_get(tmp_path: Path) -> None:
    with hubbed(tmp_path) as hub:
        assert unproved(hub.assets()) == "v1.0.0 is not proved: no release v1.0.0 is out in acme/app"
        hub.release(FILES, draft=True)
        assert unproved(hub.assets()) == "v1.0.0 is not proved: no release v1.0.0 is out in acme/app"


def test_a_forge_that_does_not_answer_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    with hubbed(tmp_path) as hub:
        hub.release(FILES)
        hub.forge.faults(Fault("GET", "/repos/acme/app/releases/*", nth=0, status=404, body="{}"))
        with pytest.raises(Unseen):
            hub.assets()


# Files in a folder


def in_folder(folder: Path, files: Mapping[str, bytes]) -> Step[str] | None:
    """The proof of files that lie in the folder of a release on plain git; None where there is no such folder."""
    out = folder / "out" / "v1.0.0"
    for name, content in files.items():
        out.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    nothing: Any = None
    release = msgspec.structs.replace(RELEASE, forge="none", output="out")
    record = cast(Ledger, Notes(msgspec.structs.replace(RECORD, release=release)))
    doors = Doors(nothing, record, nothing, Disk(folder / ".release"), lambda wish: nothing, folder)
    return next(iter(proofs_of(doors, release, STABLE)), None)


def test_files_in_a_folder_are_read_for_it_says_no_digests(tmp_path: Path) -> None:
    step = in_folder(tmp_path, FILES)
    assert step is not None
    found = step.inspect(NOTHING)
    assert isinstance(found, Done), found
    assert found.value.endswith(f" {len(FILES)} of them by digest")
    in_folder(tmp_path, {"tool": b"bytes of another"})
    assert "has another tool: " in unproved(step.inspect(NOTHING))


def test_files_of_a_folder_on_another_machine_are_none_of_this_ones(tmp_path: Path) -> None:
    assert in_folder(tmp_path, {}) is None


# Components


def component(name: str, **more: Any) -> DownstreamWish:
    return DownstreamWish(name, f"acme/{name}", "master", "v1.0.0", trigger=more.pop("trigger", "release"), **more)


def proofs(hub: Hub, *wishes: DownstreamWish, requires: tuple[str, ...] = ()) -> dict[str, ProveDownstream]:
    release = msgspec.structs.replace(RELEASE, downstreams=wishes)
    found = proofs_of(hub.doors(), release, Channel("stable", requires=requires))
    return {step.wish.name: step for step in found if isinstance(step, ProveDownstream)}


def test_those_are_asked_for_that_the_release_or_the_channel_needs(tmp_path: Path) -> None:
    wishes = (
        component("needed"),
        component("spare", required=False),
        component("wanted", required=False),
        component("files", trigger="none", updates=(UpdateWish("a.yaml", "yaml", "v1.0.0", key="a"),)),
    )
    with hubbed(tmp_path, *(wish.name for wish in wishes)) as hub:
        assert set(proofs(hub, *wishes, requires=("wanted",))) == {"needed", "wanted"}


def test_a_component_that_is_out_is_proved_and_one_that_is_not_is_sent_for(tmp_path: Path) -> None:
    with hubbed(tmp_path, "a") as hub:
        (step,) = proofs(hub, component("a", assets=("a.tgz",))).values()
        before = hub.captain.get("/repos/acme/a/releases")
        found = step.inspect(NOTHING)
        assert isinstance(found, Blocked)
        assert found.conflict.rule == "not-out"
        assert found.conflict.why.startswith("v1.0.0 is not out in a: ")
        assert found.conflict.remedy == "release it there: invoke release.downstream --version v1.0.0"
        with pytest.raises(Refused, match="is not out in a"):
            step.apply(NOTHING, lambda line: None)
        assert hub.captain.get("/repos/acme/a/releases") == before, "looking made a release"
        hub.release({}, of="a")
        assert isinstance(step.inspect(NOTHING), Underway), "its files may come yet"
        hub.captain.upload(hub.captain.get("/repos/acme/a/releases/tags/v1.0.0"), "a.tgz", b"x")
        done = step.inspect(NOTHING)
        assert isinstance(done, Done), done
        assert done.value.startswith("v1.0.0 on ")


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (Underway("release.yml in progress"), True),
        (Failed("release.yml ended with failure", "the same command runs its failed jobs again"), True),
        (Pending("tag v1.0.0 at main"), False),
    ],
)
def test_what_is_under_way_is_waited_for_and_what_failed_is_told_as_it_is(found: Any, same: bool) -> None:
    wish = component("a", deadline=77)
    step = ProveDownstream("proof downstream a", RELEASE, wish, lambda: found)
    assert (step.inspect(NOTHING) == found) == same
    assert step.deadline == 77
    if isinstance(found, Failed):
        with pytest.raises(Refused, match="ended with failure"):
            step.apply(NOTHING, lambda line: None)


# Which images are asked for


def imaged(*targets: Reference) -> ImageWish:
    parts = tuple(ImagePart(platform) for platform in BOTH)
    return ImageWish("acme/app", "v1.0.0", "Dockerfile", ".", parts, targets=targets)


def test_every_image_of_the_release_and_of_its_components_is_asked_for_in_every_registry(
    tmp_path: Path, registries: Registries
) -> None:
    here, there = Reference("a.example", "acme/app", "v1.0.0"), Reference("b.example", "acme/app", "v1.0.0")
    theirs, spare = (Reference("a.example", f"acme/{name}", "v1.0.0") for name in ("one", "two"))
    foreign = Reference("c.example", "acme/claimed", "v1.0.0")
    wishes = (component("one", images=(theirs,), platforms=BOTH), component("two", required=False, images=(spare,)))
    release = msgspec.structs.replace(RELEASE, images=(imaged(here, there),), downstreams=wishes)
    digest, other = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    evidence = {
        "image acme/app:v1.0.0": Proof(digest=digest),
        "downstream one": Proof(tag="v1.0.0", images={str(theirs): other}),
    }
    record = msgspec.structs.replace(RECORD, release=release, evidence=evidence)
    points = tuple(PointWish(f"image {one}", "image", one, source=one) for one in (here, foreign))
    with hubbed(tmp_path, "one", "two") as hub:
        doors = replace(hub.doors(record), open_registry=lambda: registries)
        steps = [step for step in proofs_of(doors, release, STABLE, points) if isinstance(step, ProveImage)]
    assert {step.image: (step.platforms, dict(step.told)) for step in steps} == {
        here: (BOTH, {"the record": digest}),
        there: (BOTH, {"the record": digest}),
        theirs: (BOTH, {"the record": other}),
        foreign: ((), {}),
    }
    assert len({step.name for step in steps}) == 4


def test_without_a_record_the_manifest_of_the_release_says_which_image_it_is(
    tmp_path: Path, real: Running, registries: Registries
) -> None:
    index(real, "acme/app", "v1.0.0", *BOTH)
    target = Reference(real.host, "acme/app", "v1.0.0")
    release = msgspec.structs.replace(RELEASE, images=(imaged(target),))
    document = registries.document(target)
    assert document is not None

    def told(digest: str) -> Finding[str]:
        text = msgspec.json.encode({
            "artifacts": [], "images": [{"name": "acme/app", "tag": "v1.0.0", "digest": digest, "platforms": []}],
        })  # fmt: skip
        made = hub.release({MANIFEST: text})
        (step,) = (one for one in proofs_of(doors, release, STABLE) if isinstance(one, ProveImage))
        found = step.inspect(NOTHING)
        assert hub.captain("DELETE", f"/repos/acme/app/releases/{made['id']}").status_code == 204
        return found

    with hubbed(tmp_path) as hub:
        doors = replace(hub.doors(), open_registry=lambda: registries)
        assert isinstance(told(document.digest), Done)
        assert unproved(told("sha256:" + "1" * 64)).endswith(f", and {MANIFEST} says sha256:{'1' * 12}")
