"""Provenance says what was made, of what and by whom, in one way only; and what it says is compared with what is out."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.bill import wrong_sbom
from release.core.model import ArtifactWish, BuiltImage, ImagePart, ImageWish, Person, PlatformImage, Release
from release.core.provenance import Making, claims_of, git_uri, payload, statement, subjects, wrong_provenance

A, B, C, D = ("abcd"[n] * 64 for n in range(4))
COMMIT = "1" * 40
RELEASE = Release(
    version="1.0.0", tag="v1.0.0", line="1.0", kind="final", bump="minor", previous=None, branch="main", base="b" * 40,
    date="2030-01-01T00:00:00+00:00", author=Person("Ada", "ada@example.org"),
    artifacts=(ArtifactWish("tool", ("make", "tool"), "linux/amd64"),),
    images=(ImageWish("acme/app", "1.0.0", "Dockerfile", ".", (ImagePart("linux/amd64", {"V": "1"}),), secrets={"t": "env:T"}),),
)  # fmt: skip
IMAGE = BuiltImage("acme/app", f"sha256:{C}", (PlatformImage("linux/amd64", f"sha256:{D}", 9),))
FILES = [("tool", A), ("a.json", B)]
OUT = {"a.json": B, "oci:acme/app:1.0.0": C, "oci:acme/app:1.0.0#linux/amd64": D, "tool": A}


def made(**changes: Any) -> bytes:
    making = Making("https://github.com/acme/app", **changes)
    return statement(RELEASE, COMMIT, FILES, {"acme/app:1.0.0": IMAGE}, making)


def enveloped(content: bytes, kind: str = "application/vnd.in-toto+json") -> dict[str, Any]:
    return {"payload": base64.b64encode(content).decode(), "payloadType": kind, "signatures": [{"sig": "AA=="}]}


def test_it_is_a_statement_of_slsa_as_their_specifications_have_it() -> None:
    assert json.loads(made(builder="https://github.com/acme/app/.github/workflows/r.yml@refs/tags/v1.0.0", invocation="https://x/1")) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in OUT.items()],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://pypi.org/project/sluice-release/#build-v1",
                "externalParameters": {
                    "repository": "git+https://github.com/acme/app", "tag": "v1.0.0", "version": "1.0.0",
                    "artifacts": [{"name": "tool", "run": ["make", "tool"], "platform": "linux/amd64", "kind": "command"}],
                    "images": [{
                        "name": "acme/app", "tag": "1.0.0", "file": "Dockerfile", "context": ".", "builder": "auto",
                        "parts": [{"platform": "linux/amd64", "args": {"V": "1"}}], "secrets": {"t": "env:T"},
                    }],
                },
                "internalParameters": {"SOURCE_DATE_EPOCH": 1893456000},
                "resolvedDependencies": [{"uri": "git+https://github.com/acme/app@refs/tags/v1.0.0", "digest": {"gitCommit": COMMIT}}],
            },
            "runDetails": {
                "builder": {"id": "https://github.com/acme/app/.github/workflows/r.yml@refs/tags/v1.0.0"},
                "metadata": {"invocationId": "https://x/1"},
            },
        },
    }  # fmt: skip


def test_without_a_service_somebody_made_it_and_nothing_tells_two_runs_apart() -> None:
    run = json.loads(made())["predicate"]["runDetails"]
    assert run == {"builder": {"id": "https://pypi.org/project/sluice-release/#a-machine-of-a-person"}}
    backwards = statement(
        RELEASE, COMMIT, FILES[::-1], {"acme/app:1.0.0": IMAGE}, Making("https://github.com/acme/app")
    )
    assert backwards == made()


@pytest.mark.parametrize(("address", "uri"), [
    ("https://example.org/a.git", "git+https://example.org/a.git"), ("ssh://git@h/a", "git+ssh://git@h/a"),
    ("git@example.org:o/a.git", "git+ssh://git@example.org/o/a.git"), ("/srv/a.git", "git+file:///srv/a.git"),
])  # fmt: skip
def test_addresses_of_repositories(address: str, uri: str) -> None:
    assert git_uri(address) == uri


@pytest.mark.parametrize("line", [
    made(), made() + b"\n", json.dumps(enveloped(made())).encode(),
    json.dumps({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": enveloped(made()), "verificationMaterial": {}}).encode(),
])  # fmt: skip
def test_a_line_is_a_statement_an_envelope_or_a_bundle(line: bytes) -> None:
    assert payload(line) == made()
    assert claims_of(line) == OUT
    assert wrong_provenance(line, RELEASE, COMMIT, OUT) == ""


@given(st.binary() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["_type", "payload", "payloadType", "dsseEnvelope", "subject", "predicate", "x"]), inner, max_size=4)).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_what_is_anybodys_is_told_in_words(line: bytes) -> None:
    assert wrong_provenance(line, RELEASE, COMMIT, OUT).startswith("it is no provenance: ")
    assert wrong_sbom(line, RELEASE, {}).startswith("it is no CycloneDX document: ")


def changed(path: str, value: Any) -> bytes:
    document = json.loads(made())
    *folders, last = path.split(".")
    place: Any = document
    for name in folders:
        place = place[int(name) if name.isdigit() else name]
    place[last] = value
    return json.dumps(document).encode()


DEFINITION = "predicate.buildDefinition"


@pytest.mark.parametrize(("line", "words"), [
    (changed(f"{DEFINITION}.externalParameters.tag", "v0.9.0"), "it is of v0.9.0, not of v1.0.0"),
    (changed(f"{DEFINITION}.externalParameters.version", "1.0.1"), "it is of v1.0.0, not of v1.0.0"),
    (changed(f"{DEFINITION}.buildType", "https://x"), "it is a https://slsa.dev/provenance/v1 of https://x, not a provenance of ours"),
    (changed("predicateType", "https://spdx.dev/Document"), "not a provenance of ours"),
    (changed("_type", "https://in-toto.io/Statement/v0.1"), "not a provenance of ours"),
    (changed(f"{DEFINITION}.resolvedDependencies", []), "it says that it was built from nothing, not from 1111111111"),
    (changed(f"{DEFINITION}.resolvedDependencies.0.digest", {"gitCommit": "2" * 40}), "built from 2222222222, not from 1111111111"),
    (changed("subject", [{"name": "tool", "digest": {"sha256": A}}] * 2), "it names a subject twice"),
    (changed("subject.3.digest", {"sha512": A}), "it has another digest of tool"),
])  # fmt: skip
def test_what_a_provenance_says_wrongly(line: bytes, words: str) -> None:
    assert wrong_provenance(line, RELEASE, COMMIT, OUT).endswith(words)


@given(st.dictionaries(st.sampled_from([*OUT, "more"]), st.sampled_from([A, B])))
def test_it_is_right_only_of_exactly_what_is_out(out: dict[str, str]) -> None:
    wrong = wrong_provenance(made(), RELEASE, COMMIT, out)
    assert (wrong == "") == (out == OUT)
    for name in OUT.keys() - out.keys():
        assert "names what is not out" in wrong, name
    assert ("lacks more" in wrong) == ("more" in out)


def test_names_are_shown_without_what_could_act_on_a_terminal_and_not_all_of_them() -> None:
    out = {**OUT, **{f"x{n}\x1b[31m": A for n in range(9)}}
    wrong = wrong_provenance(made(), RELEASE, COMMIT, out)
    assert "\x1b" not in wrong
    assert wrong.endswith(" and 6 more")


def test_two_images_of_one_name_are_told_apart_by_their_tags() -> None:
    other = msgspec.structs.replace(IMAGE, digest=f"sha256:{A}", platforms=())
    found = subjects([], {"acme/app:1": IMAGE, "acme/app:1-alpine": other})
    assert found == {"oci:acme/app:1": C, "oci:acme/app:1#linux/amd64": D, "oci:acme/app:1-alpine": A}


def bill(*files: tuple[str, str], version: str = "1.0.0", form: str = "CycloneDX") -> bytes:
    components = [{"type": "file", "name": name, "hashes": [{"alg": "SHA-1", "content": "0"}, {"alg": "SHA-256", "content": digest}]} for name, digest in files]  # fmt: skip
    root = {"type": "application", "name": "app", "version": version}
    more = {"type": "library", "name": "requests"}
    return json.dumps({"bomFormat": form, "metadata": {"component": root}, "components": [*components, more]}).encode()


@pytest.mark.parametrize(("content", "words"), [
    (bill(("tool", A)), ""), (bill(("tool", B)), "it has another digest of tool"), (bill(), "it lacks tool"),
    (bill(("tool", A), ("x", B)), "it names what is not out: x"), (bill(("tool", A), ("tool", A)), "it lists a file twice"),
    (bill(("tool", A), version="1.0.1"), "it is of version 1.0.1, not of 1.0.0"),
    (bill(("tool", A), form="SPDX"), "it is a SPDX, no CycloneDX document"),
])  # fmt: skip
def test_what_a_bill_of_materials_says_wrongly(content: bytes, words: str) -> None:
    assert wrong_sbom(content, RELEASE, {"tool": A}) == words
