"""Is it all really out there, byte by byte? What is wrong, missing or extra is named, and nothing is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.forged import Fleet, fleet

TAG = "v0.1.0"
A_DIGEST = "[0-9a-f]{12}"


@pytest.fixture
def released(tmp_path: Path) -> Iterator[tuple[Fleet, Path]]:
    """A fleet that is out as it should be, and a captain's clone."""
    with fleet(tmp_path, {"first": "release"}) as some:
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(0)
        yield some, clone


def asset(some: Fleet, of: str, name: str) -> dict[str, Any]:
    (release,) = some.releases(of)
    return next(one for one in release["assets"] if one["name"] == name)


def changed(some: Fleet, of: str, name: str, content: bytes, told: bool = False) -> str:
    """Change the stored bytes of an asset; with `told` the forge says so. The SHA-256 that they have now."""
    found = asset(some, of, name)
    Path(some.forge.folder, "assets", str(found["file"])).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    if told:
        some.forge.store.change(found["id"], size=len(content), digest=f"sha256:{digest}")
    return digest[:12]


def added(some: Fleet, of: str, name: str) -> None:
    """A further asset, with the bytes of one that is there."""
    (release,) = some.releases(of)
    facts = {key: value for key, value in release["assets"][0].items() if key not in ("id", "repo")}
    some.forge.store.add("asset", {**facts, "name": name}, release["repo"], f"{release['id']}:{name}")


def test_what_is_all_out_is_verified_from_any_clone_and_without_a_token(released: tuple[Fleet, Path]) -> None:
    some, clone = released
    before = {name: some.refs(name) for name in ("app", "first")}
    some.invoke(clone, "release.verify").expect(0, f"{TAG} verified: everything is out")
    some.invoke(some.clone("bob"), "release.verify", "--version", TAG, env={"SLUICE_GITHUB_TOKEN": ""}).expect(0)
    assert {name: some.refs(name) for name in before} == before


def test_the_json_form_names_every_file(released: tuple[Fleet, Path]) -> None:
    some, clone = released
    answer = some.invoke(clone, "release.verify", "--format", "json").expect(0)
    assert (answer.value["tag"], answer.value["verified"]) == (TAG, True)
    assert {step["state"] for step in answer.value["steps"]} == {"done"}
    assert [step["name"] for step in answer.value["steps"] if "asset" in step["name"]] == [
        "asset app-amd64.txt", "asset app-arm64.txt", "asset release.json", "asset sha256sum-amd64.txt", "asset sha256sum-arm64.txt",
        "downstream first: asset first-amd64.txt", "downstream first: asset first-arm64.txt",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["app-amd64.txt", "sha256sum-arm64.txt"])
def test_bytes_that_rotted_are_named_with_all_who_say_otherwise(name: str, released: tuple[Fleet, Path]) -> None:
    some, clone = released
    digest = changed(some, "app", name, b"other bytes")
    answer = some.invoke(clone, "release.verify").expect(
        1,
        rf"asset {name} +failed +its bytes have sha256 {digest}, and the manifest says {A_DIGEST},.* the forge says {A_DIGEST}",
    )
    assert answer.said.count("✗") == 1


def test_an_asset_that_was_replaced_is_found_though_the_forge_agrees_with_it(released: tuple[Fleet, Path]) -> None:
    some, clone = released
    digest = changed(some, "app", "app-arm64.txt", b"other bytes", told=True)
    answer = some.invoke(clone, "release.verify", "--format", "json").expect(1)
    wrong = [step["detail"] for step in answer.value["steps"] if step["name"] == "asset app-arm64.txt"]
    assert answer.value["verified"] is False
    assert f"its bytes have sha256 {digest}, and the manifest says" in wrong[0]
    assert "the record says" in wrong[0]
    assert "the forge says" not in wrong[0]


def test_missing_and_extra_files_are_named(released: tuple[Fleet, Path]) -> None:
    some, clone = released
    some.forge.store.remove(asset(some, "app", "app-amd64.txt")["id"])
    added(some, "app", "backdoor.sh")
    some.invoke(clone, "release.verify").expect(
        1,
        r"asset app-amd64\.txt +failed +missing: the manifest, the record has it",
        r"asset backdoor\.sh +failed +extra: no list has it",
    )


def test_a_downstreams_files_are_compared_with_what_was_seen(released: tuple[Fleet, Path]) -> None:
    some, clone = released
    digest = changed(some, "first", "first-amd64.txt", b"other bytes", told=True)
    some.forge.store.remove(asset(some, "first", "first-arm64.txt")["id"])
    added(some, "first", "more.txt")
    some.invoke(clone, "release.verify").expect(
        1,
        rf"downstream first: asset first-amd64\.txt +failed +its bytes have sha256 {digest}, and the record says {A_DIGEST}",
        r"downstream first: asset first-arm64\.txt +failed +missing: the record has it",
        r"downstream first: asset more\.txt +failed +extra: no list has it",
    )


@pytest.mark.parametrize("content", [b"", b"not json", b"{}", b"\xff\xfe", b"[" * 5000])
def test_a_manifest_that_is_none_is_told(content: bytes, released: tuple[Fleet, Path]) -> None:
    some, clone = released
    changed(some, "app", "release.json", content, told=True)
    some.invoke(clone, "release.verify").expect(
        1,
        rf"asset release\.json +failed +it is no manifest; its bytes have sha256 {A_DIGEST}, and the record says {A_DIGEST}",
    )


def test_a_manifest_that_tells_of_another_commit_or_of_other_bytes_is_told(released: tuple[Fleet, Path]) -> None:
    some, clone = released
    where = Path(some.forge.folder, "assets", str(asset(some, "app", "release.json")["file"]))
    document = json.loads(where.read_bytes())
    forged = json.dumps({**document, "commit": "0" * 40}, indent=2).encode() + b"\n"
    changed(some, "app", "release.json", forged, told=True)
    some.invoke(clone, "release.verify").expect(1, r"asset release\.json +failed +its bytes have sha256")
    document["artifacts"][0]["sha256"] = "0" * 64
    changed(some, "app", "release.json", json.dumps(document).encode(), told=True)
    some.invoke(clone, "release.verify").expect(
        1, rf"asset app-amd64\.txt +failed +its bytes have sha256 {A_DIGEST}, and the manifest says 0{{12}}"
    )


def test_a_release_that_is_gone_is_named(released: tuple[Fleet, Path]) -> None:
    some, clone = released
    (release,) = some.releases("first")
    some.forge.store.remove(release["id"])
    some.invoke(clone, "release.verify").expect(
        1, rf"downstream first: assets +failed +acme/first has no release {TAG}"
    )
    (release,) = some.releases("app")
    some.forge.store.remove(release["id"])
    some.invoke(clone, "release.verify").expect(1, rf"assets +failed +acme/app has no release {TAG}")


def test_what_was_never_released_is_a_conflict_and_what_has_only_begun_is_not_verified(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, gates='[[gate]]\nname = "never"\nrun = ["false"]\n') as some:
        clone = some.clone("ada")
        some.invoke(clone, "release.verify").expect(3, "no release is tagged here")
        some.invoke(clone, "release.verify", "--version", "9.9.9").expect(3, "v9.9.9 is not tagged on the upstream")
        some.invoke(clone, "release", "--yes").expect(1)
        some.invoke(clone, "release.verify", "--version", TAG).expect(3, "is not tagged on the upstream")
