"""What every file of a release has to be, by all that say something about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from release.core.forge import Asset
from release.core.manifest import manifest
from release.core.model import ArtifactWish, Person, Release
from release.core.record import Proof, Record, State
from release.core.verification import Expected, expected, of_downstream, of_upstream, read, sha256_of, unreadable

ADA = Person("Ada", "ada@example.org")
A, B, C = "a" * 64, "b" * 64, "c" * 64
RELEASE = Release(
    version="1.0.0", tag="v1.0.0", line="1.0", kind="final", bump="minor", previous=None, branch="main", base="b" * 40,
    date="2030-01-01T00:00:00+00:00", author=ADA, artifacts=(ArtifactWish("tool", ("make",), "linux/amd64"),),
)  # fmt: skip
RECORD = Record(
    "1.0",
    "t" * 40,
    RELEASE,
    State("finished", "c" * 40, ADA, "2030-01-01T00:00:00+00:00"),
    {"build tool": Proof(sha256=A, size=3)},
)


def asset(name: str, digest: str = "", complete: bool = True) -> Asset:
    return Asset(1, name, 3, digest, complete)


def one(name: str, listed: tuple[Asset, ...], *sources: tuple[str, Mapping[str, str]]) -> Expected:
    return next(found for found in expected(listed, sources) if found.name == name)


def text(facts: list[tuple[str, str, int]], commit: str = "c" * 40) -> bytes:
    return manifest(RELEASE, commit, facts).encode()


def test_bytes_are_right_if_everybody_says_the_same() -> None:
    found = one("tool", (asset("tool", A),), ("the manifest", {"tool": A}), ("the record", {"tool": A}))
    assert found.digests == (("the manifest", A), ("the record", A), ("the forge", A))
    assert found.wrong(A) == ""


def test_whoever_says_otherwise_is_named() -> None:
    found = one("tool", (asset("tool", C),), ("the manifest", {"tool": A}), ("the record", {"tool": B}))
    assert found.wrong(A) == f"its bytes have sha256 {A[:12]}, and the record says {B[:12]}, the forge says {C[:12]}"


def test_a_file_that_a_source_names_and_nobody_has_is_missing() -> None:
    found = one("tool", (), ("the record", {"tool": A}))
    assert (found.asset, found.extra, found.digests) == (None, False, (("the record", A),))


def test_a_file_that_is_only_half_uploaded_is_missing() -> None:
    assert one("tool", (asset("tool", "", complete=False),), ("the record", {"tool": A})).asset is None


def test_a_half_uploaded_file_that_nobody_asks_for_is_nothing() -> None:
    assert expected((asset("tool", "", complete=False),), (("the record", {}),)) == ()


def test_a_file_that_no_list_has_is_extra() -> None:
    assert one("more", (asset("more"),), ("the record", {"tool": A})).extra


def test_without_any_list_nothing_is_extra() -> None:
    (found,) = expected((asset("more", A),), ())
    assert (found.extra, found.digests) == (False, (("the forge", A),))


def test_a_file_with_a_name_and_no_digest_is_neither_extra_nor_compared() -> None:
    found = one("release.json", (asset("release.json"),), ("every release", {"release.json": ""}))
    assert (found.extra, found.digests, found.wrong(A)) == (False, (), "")


def test_files_come_by_name() -> None:
    names = [found.name for found in expected((asset("b"), asset("a")), (("the record", {"c": A}),))]
    assert names == ["a", "b", "c"]


def test_a_manifest_says_what_sums_and_manifest_have_to_be() -> None:
    facts = [("tool", A, 3)]
    sources = of_upstream(RELEASE, RECORD, text(facts))
    told = {name: sha256 for _, digests in sources for name, sha256 in digests.items()}
    assert told == {
        "tool": A,
        "sha256sum-amd64.txt": sha256_of(f"{A}  tool\n"),
        "release.json": hashlib.sha256(text(facts)).hexdigest(),
    }


def test_a_manifest_for_another_commit_is_wrong_where_there_is_a_record() -> None:
    forged = text([("tool", A, 3)], "d" * 40)
    found = one("release.json", (asset("release.json"),), *of_upstream(RELEASE, RECORD, forged))
    assert found.wrong(hashlib.sha256(forged).hexdigest())


def test_without_a_record_the_manifest_is_believed_about_itself() -> None:
    made = text([("tool", A, 3)])
    found = one("release.json", (asset("release.json"),), *of_upstream(RELEASE, None, made))
    assert found.extra is False
    assert found.wrong(hashlib.sha256(made).hexdigest()) == ""


def test_a_manifest_that_lacks_what_was_built_is_contradicted_by_the_record() -> None:
    sources = of_upstream(RELEASE, RECORD, text([("tool", B, 3)]))
    assert (
        one("tool", (asset("tool", B),), *sources).wrong(B)
        == f"its bytes have sha256 {B[:12]}, and the record says {A[:12]}"
    )


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"{}",
        b"null",
        b"\xff",
        b"[]",
        b'{"artifacts": [{}]}',
        b'{"artifacts": [{"name": 1}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_manifest_is_none_and_a_release_has_to_have_one(content: bytes | None) -> None:
    assert read(content) is None
    sources = of_upstream(RELEASE, None, content)
    assert one("release.json", (), *sources).asset is None
    assert one("tool", (asset("tool", A),), *sources).extra


def test_what_is_no_manifest_is_wrong_whatever_its_digest_is() -> None:
    (found,) = expected((asset("release.json", A),), (), unreadable(b"{}"))
    assert found.wrong(A) == "it is no manifest"
    assert found.wrong(B) == f"it is no manifest; its bytes have sha256 {B[:12]}, and the forge says {A[:12]}"
    assert unreadable(text([])) == {}


def test_a_record_knows_the_documents_of_what_it_knows_to_be_built() -> None:
    sources = of_upstream(RELEASE, RECORD, None)
    assert one("release.json", (), *sources).digests == (("the record", sha256_of(text([("tool", A, 3)]).decode())),)
    assert one("sha256sum-amd64.txt", (asset("sha256sum-amd64.txt"),), *sources).extra is False


def test_a_downstreams_files_are_those_that_were_seen() -> None:
    sources = of_downstream(Proof(tag="v1.0.0", assets={"x": A}))
    assert (
        one("x", (asset("x", B),), *sources).wrong(B) == f"its bytes have sha256 {B[:12]}, and the record says {A[:12]}"
    )
    assert one("y", (asset("y", B),), *sources).extra
    assert of_downstream(None) == of_downstream(Proof()) == ()


def test_a_manifest_survives_its_own_reading() -> None:
    facts: list[Any] = [("a", A, 1), ("b", B, 2**40)]
    assert read(text(facts)) == facts
    assert msgspec.json.decode(text(facts))["commit"] == "c" * 40
