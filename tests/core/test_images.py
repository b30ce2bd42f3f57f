"""Images as a record knows them, and what they say of themselves."""

from __future__ import annotations

import msgspec
import pytest

from release.core.images import (
    annotations_of,
    holding,
    images_of,
    is_tagged,
    noted_image,
    staging_tag,
    step_of,
    version_said,
)
from release.core.model import BuiltImage, ImagePart, ImageWish, Person, PlatformImage, Release
from release.core.oci import Descriptor, Document, ImageManifest, Index, written
from release.core.record import Proof, Record, State, outdated

ADA = Person("Ada", "ada@example.org")
COMMIT = "c" * 40
WISH = ImageWish("acme/app", "v1.0.0", "Dockerfile", ".", (ImagePart("linux/amd64", artifacts=("app",)),))
PARTS = (PlatformImage("linux/amd64", f"sha256:{'1' * 64}", 10),)
DIGEST = f"sha256:{'d' * 64}"
OLD, NEW = "a" * 64, "b" * 64
RELEASE = Release("1.0.0", "v1.0.0", "1.0", "final", "minor", None, "main", "b" * 40, "2030-01-02T03:04:05+00:00", ADA)
IMAGE = Proof(digest=DIGEST, platforms=PARTS, builder="embedded", assets={"build app": OLD})


def record(**evidence: Proof) -> Record:
    return Record("1.0", "t" * 40, RELEASE, State("begun", COMMIT, ADA, RELEASE.date), evidence)


def test_an_image_is_known_by_the_proof_of_the_step_that_builds_it() -> None:
    assert step_of(WISH) == "image acme/app:v1.0.0"
    known = BuiltImage("acme/app", DIGEST, PARTS, "embedded", "v1.0.0")
    assert noted_image(record(**{step_of(WISH): IMAGE}), WISH) == known
    assert images_of({step_of(WISH): IMAGE, "build app": Proof(sha256=OLD)}) == (known,)
    assert noted_image(record(), WISH) is None
    assert noted_image(None, WISH) is None


@pytest.mark.parametrize(("made", "known"), [(OLD, True), (NEW, False)])
def test_an_image_with_another_file_than_the_record_knows_is_no_longer_known(made: str, known: bool) -> None:
    found = noted_image(record(**{step_of(WISH): IMAGE, "build app": Proof(sha256=made)}), WISH)
    assert (found is not None) is known


def test_what_was_made_of_an_image_is_outdated_with_it() -> None:
    provenance = Proof(sha256=NEW, assets={step_of(WISH): DIGEST, "build app": OLD})
    evidence = {step_of(WISH): IMAGE, "build app": Proof(sha256=OLD)}
    assert not outdated(evidence, provenance)
    assert not outdated({}, provenance)
    assert outdated(
        {**evidence, step_of(WISH): msgspec.structs.replace(IMAGE, digest=f"sha256:{'e' * 64}")}, provenance
    )


def test_which_images_hold_a_file_is_told_by_its_bytes() -> None:
    evidence = {
        step_of(WISH): IMAGE,
        "build app": Proof(sha256=OLD),
        "build all": Proof(sha256=NEW, assets=IMAGE.assets),
    }
    assert holding(evidence, "app", OLD) == {"acme/app:v1.0.0": IMAGE}
    assert holding(evidence, "app", NEW) == holding(evidence, "other", OLD) == {}


@pytest.mark.parametrize(
    ("name", "digest", "tagged"),
    [
        ("tag one.example/acme/app:v1.0.0", DIGEST, True),
        ("tag one.example/acme/app:v1.0.0", f"sha256:{'e' * 64}", False),
        ("tag", DIGEST, False),  # the one in git
        ("push one.example/acme/app:v1.0.0", DIGEST, False),
    ],
)
def test_an_image_is_public_by_its_version_tag_alone(name: str, digest: str, tagged: bool) -> None:
    assert is_tagged({name: Proof(digest=digest)}, IMAGE) is tagged


def test_an_image_says_where_it_comes_from_by_the_time_of_its_commit() -> None:
    prefix = "org.opencontainers.image."
    release = msgspec.structs.replace(RELEASE, made="2030-01-02T04:04:05+01:00")
    assert annotations_of(release, WISH, COMMIT, "https://code.example/acme/app") == {
        f"{prefix}created": "2030-01-02T03:04:05Z",
        f"{prefix}revision": COMMIT,
        f"{prefix}title": "app",
        f"{prefix}version": "1.0.0",
        f"{prefix}source": "https://code.example/acme/app",
    }


def test_labels_of_the_configuration_have_the_last_word_and_no_address_is_made_up() -> None:
    wish = msgspec.structs.replace(WISH, labels={"org.opencontainers.image.title": "App", "about": "all"})
    said = annotations_of(RELEASE, wish, COMMIT, "")
    assert (said["org.opencontainers.image.title"], said["about"]) == ("App", "all")
    assert "org.opencontainers.image.source" not in said


def test_each_image_of_a_name_has_a_staging_tag_of_its_own_in_a_line() -> None:
    assert [staging_tag(RELEASE, number) for number in range(3)] == [
        "sluice-staging-1.0", "sluice-staging-1.0-1", "sluice-staging-1.0-2",
    ]  # fmt: skip


def test_an_image_says_of_which_version_it_is() -> None:
    told = {"org.opencontainers.image.version": "1.30.1+rke2r1"}
    index = written(Index((), annotations=told))
    config = Descriptor("application/vnd.oci.image.config.v1+json", "sha256:" + "0" * 64, 2)
    assert version_said(index) == "1.30.1+rke2r1"
    assert version_said(written(ImageManifest(config, (), annotations=told))) == "1.30.1+rke2r1"
    assert version_said(written(Index(()))) == ""
    assert version_said(Document(index.media_type, b"{")) == ""
