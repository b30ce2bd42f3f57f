"""Whether all files of a release are out, by names and digests alone."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from release.core.forge import Asset
from release.core.manifest import documents
from release.core.model import ArtifactWish, AttestWish, Person, Release
from release.core.proving import by_digest, faults, files_of
from release.core.record import MANIFEST, Proof, Record, State
from release.core.verification import sha256_of

ADA = Person("Ada", "ada@example.org")
A, B = "a" * 64, "b" * 64
COMMIT = "c" * 40
RELEASE = Release(
    version="1.0.0", tag="v1.0.0", line="1.0", kind="final", bump="minor", previous=None, branch="main", base="b" * 40,
    date="2030-01-01T00:00:00+00:00", author=ADA, artifacts=(ArtifactWish("tool", ("make",), "linux/amd64"),),
    attest=AttestWish(sbom="app.cdx.json"),
)  # fmt: skip
BUILT = {"build tool": Proof(sha256=A, size=3), "build app.cdx.json": Proof(sha256=B, size=4)}
RECORD = Record("1.0", "t" * 40, RELEASE, State("finished", COMMIT, ADA, "2030-01-01T00:00:00+00:00"), BUILT)
DOCUMENTS = documents(RELEASE, COMMIT, [("tool", A, 3), ("app.cdx.json", B, 4)])
OUT = {"tool": A, "app.cdx.json": B, **{name: sha256_of(text) for name, text in DOCUMENTS.items()}}
TEXT = DOCUMENTS[MANIFEST].encode()


def listed(digests: Mapping[str, str], half: str = "") -> tuple[Asset, ...]:
    return tuple(Asset(n, name, 3, digest, name != half) for n, (name, digest) in enumerate(digests.items()))


def wrong(
    digests: Mapping[str, str], record: Record | None = RECORD, half: str = "", text: bytes | None = TEXT
) -> list[str]:
    return list(faults(files_of(RELEASE, record, listed(digests, half), text)))


def test_a_release_with_all_its_files_and_no_other_has_no_fault() -> None:
    assert wrong(OUT) == []
    assert by_digest(files_of(RELEASE, RECORD, listed(OUT), TEXT)) == len(OUT) == 5


@pytest.mark.parametrize("name", OUT)
def test_any_file_that_is_missing_or_only_half_there_is_told(name: str) -> None:
    without = {one: digest for one, digest in OUT.items() if one != name}
    assert wrong(without) == [f"lacks {name}"]
    assert wrong(OUT, half=name) == [f"lacks {name}"]


@pytest.mark.parametrize("name", OUT)
def test_any_file_with_other_bytes_is_told_with_who_says_so(name: str) -> None:
    (told,) = wrong({**OUT, name: "d" * 64})
    assert told.startswith(f"has another {name}: its bytes have sha256 dddddddddddd, and ")
    assert f"the record says {OUT[name][:12]}" in told


def test_a_file_that_nobody_made_for_it_is_told_and_cannot_do_anything_to_a_terminal() -> None:
    assert wrong({**OUT, "evil\x1b[2J": A}) == ["has evil[2J, which nobody made for it"]


def test_without_a_record_its_own_manifest_tells() -> None:
    assert wrong(OUT, None) == []
    assert wrong({**OUT, "more": A}, None) == ["has more, which nobody made for it"]
    (told,) = wrong({**OUT, "tool": B}, None)
    assert "the manifest says aaaaaaaaaaaa" in told


def test_a_manifest_that_is_none_is_told_where_there_is_a_record() -> None:
    assert any("it is no manifest" in told for told in wrong(OUT, text=b"what was made then is not kept\n"))


@pytest.mark.parametrize("text", [None, b"what was made then is not kept\n"])
def test_a_release_of_a_time_before_records_is_known_by_the_configuration(text: bytes | None) -> None:
    old = {"tool": "", "sha256sum-amd64.txt": ""}
    sums = {name: "" for name in OUT if name.startswith("sha256sum")}
    assert wrong({**old, **sums}, None, text=text) == []
    assert wrong({**old, **sums, "app.cdx.json": A, MANIFEST: A}, None, text=text) == []
    assert wrong({**sums}, None, text=text) == ["lacks tool"]
    assert wrong({**old, **sums, "more": ""}, None, text=text) == ["has more, which nobody made for it"]


def test_where_nobody_names_a_file_none_is_asked_for_and_none_is_too_many() -> None:
    bare = msgspec.structs.replace(RELEASE, artifacts=(), attest=AttestWish())
    assert list(faults(files_of(bare, None, listed({"anything": A}), None))) == []


def test_where_the_forge_says_no_digests_names_have_to_do_and_that_is_told() -> None:
    names = dict.fromkeys(OUT, "")
    assert wrong(names) == []
    assert by_digest(files_of(RELEASE, RECORD, listed(names), TEXT)) == 0
