"""What a release claims in registries and indexes, what cannot be claimed, and who was there before."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from release.core.claim_rules import OF_A_RELEASE, claim_contradictions
from release.core.claims import Claim, Hidden, claims, shared_image_tag, taken_conflicts
from release.core.config import Config, VersionRules
from release.core.contradictions import contradictions
from release.core.notation import VALUES
from release.core.reference import Reference, index, is_loopback, is_package, package, reference, registry
from release.core.version import Version, scheme, template_values

REVISED = {"scheme": "semver+revision", "revision": "rke2r"}
IMAGE = {"name": "owner/tool"}
PACKAGE = {"name": "tool"}
DOWNSTREAM = {"name": "charts", "repository": "../charts.git"}
PYPI = "https://pypi.org/simple"
DIGEST = "sha256:" + "0" * 64


def config(**tables: Any) -> Config:
    return msgspec.convert(tables, Config, strict=True)


def rules(**tables: Any) -> list[str]:
    return [conflict.rule for conflict in claim_contradictions(config(**tables))]


def why(**tables: Any) -> str:
    (conflict,) = claim_contradictions(config(**tables))
    assert conflict.remedy
    return str(conflict)


def claimed(tag: str, kind: str = "final", **tables: Any) -> list[str]:
    """Who claims what in the release of a tag."""
    whole = config(**tables)
    known = scheme(whole.version)
    version = known.of_tag(tag)
    assert version is not None
    return [f"{one.owner}: {one}" for one in claims(whole, version.line, kind, template_values(version, tag, known))]


# References.


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("alpine:3", Reference("docker.io", "library/alpine", "3")),
        ("docker.io/alpine:3", Reference("docker.io", "library/alpine", "3")),
        ("index.docker.io/library/alpine:3", Reference("docker.io", "library/alpine", "3")),
        ("owner/name:v1", Reference("docker.io", "owner/name", "v1")),
        ("GHCR.io/owner/name:V1", Reference("ghcr.io", "owner/name", "V1")),
        ("localhost/name:1", Reference("localhost", "name", "1")),
        ("localhost:5000/a/b/c:1", Reference("localhost:5000", "a/b/c", "1")),
        ("[::1]:5000/a:1", Reference("[::1]:5000", "a", "1")),
        ("a/b__c.d--e:_", Reference("docker.io", "a/b__c.d--e", "_")),
        ("a/b:" + "x" * 128, Reference("docker.io", "a/b", "x" * 128)),
    ],
)
def test_a_reference_is_read_as_docker_reads_it(text: str, wanted: Reference) -> None:
    assert reference(text) == wanted
    assert reference(str(wanted)) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "", "alpine", "alpine:", ":3", "Alpine:3", "a//b:1", "/a:1", "a/:1", "a..b:1", "a/b___c:1", "-a:1", "a-:1",
        "a:+1", "a:.1", "a:1/2", "a:1:2", "a:1\n", "a:" + "x" * 129, "a@sha256:" + "0" * 64, "caf\u00e9:1",
        "host.example:0/a:1", "host.example:65536/a:1", "-host.example/a:1", "user@host.example/a:1",
        "host.example/" + "a" * 243 + ":1",
    ],
)  # fmt: skip
def test_what_is_no_reference_is_none(text: str) -> None:
    assert reference(text) is None


@pytest.mark.parametrize("text", ["registry", "https://ghcr.io", "ghcr.io/owner", "ghcr.io:", "a..b", "", "[::1]]"])
def test_what_is_no_registry_is_none(text: str) -> None:
    assert registry(text) is None


PART = st.from_regex(r"[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}", fullmatch=True)


@given(
    st.sampled_from(["", "ghcr.io", "localhost", "localhost:5000", "docker.io"]),
    st.lists(PART, min_size=1, max_size=3),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True),
)
def test_what_the_grammar_makes_is_read_and_is_spelt_in_one_way(host: str, parts: list[str], tag: str) -> None:
    if not host and len(parts) > 1 and ("." in parts[0] or parts[0] == "localhost"):
        return  # that would be a host
    read = reference(f"{host}/{'/'.join(parts)}:{tag}" if host else f"{'/'.join(parts)}:{tag}")
    assert read is not None
    assert read.name.split("/")[-len(parts) :] == parts
    assert reference(str(read)) == read


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("https://pypi.org/simple/", PYPI),
        ("HTTPS://PyPI.org:443/simple", PYPI),
        ("https://host.example:8443/a/b//", "https://host.example:8443/a/b"),
        ("http://127.0.0.1:8080/simple", "http://127.0.0.1:8080/simple"),
        ("http://localhost:80", "http://localhost"),
        ("http://pypi.org/simple", None),
        ("ftp://pypi.org/simple", None),
        ("https://user@pypi.org/simple", None),
        ("https://pypi.org/simple?x=1", None),
        ("https://pypi.org/simple#x", None),
        ("https://", None),
        ("/simple", None),
    ],
)
def test_an_index_is_an_address_that_is_safe_to_ask(text: str, wanted: str | None) -> None:
    assert index(text) == wanted


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost", True), ("a.localhost", True), ("127.8.9.1", True), ("[::1]", True)]
    + [(host, False) for host in ("localhost.example", "127.example.com", "10.0.0.1", "1127.0.0.1", "")],
)
def test_only_this_machine_is_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) is here


@given(st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True))
def test_a_package_has_the_name_that_packaging_gives_it(name: str) -> None:
    assert is_package(name)
    assert package(name) == canonicalize_name(name)


# Claims.


def test_each_registry_each_package_and_each_downstream_claims() -> None:
    assert claimed(
        "v1.33.1+rke2r1",
        project={"name": "rke2"},
        version=REVISED,
        image=[{**IMAGE, "registries": ["docker.io", "GHCR.io"]}, {"name": "tool", "tag": "v{core}-{revision}"}],
        package=[{"name": "Tool_Kit", "version": "{core}"}],
        downstream=[
            {
                **DOWNSTREAM,
                "images": ["a/b:{image_tag}", "localhost:5000/c:{line}.x"],
                "packages": ["One", "two==1.{minor}.{patch}", "https://host.example/simple/#three"],
            }
        ],
    ) == [
        "rke2: docker.io/owner/tool:v1.33.1-rke2r1",
        "rke2: ghcr.io/owner/tool:v1.33.1-rke2r1",
        "rke2: docker.io/library/tool:v1.33.1-1",
        f"rke2: tool-kit 1.33.1 on {PYPI}",
        "charts: docker.io/a/b:v1.33.1-rke2r1",
        "charts: localhost:5000/c:1.33.x",
        f"charts: one 1.33.1+rke2r1 on {PYPI}",
        f"charts: two 1.33.1 on {PYPI}",
        "charts: three 1.33.1+rke2r1 on https://host.example/simple",
    ]


def test_only_what_is_selected_claims() -> None:
    tables: dict[str, Any] = {
        "image": [{**IMAGE, "when": "final"}, {**IMAGE, "tag": "c-{image_tag}", "when": "candidate"}],
        "package": [{**PACKAGE, "lines": ["1.3"]}],
        "downstream": [
            {**DOWNSTREAM, "images": ["a/b:{tag}"], "when": "final"},
            {**DOWNSTREAM, "name": "packaging", "per": "channel", "images": ["a/p:{tag}"]},
        ],
    }
    assert claimed("v1.2.0", "final", **tables) == [
        "the upstream: docker.io/owner/tool:v1.2.0",
        "charts: docker.io/a/b:v1.2.0",
    ]
    assert claimed("v1.3.0-rc.1", "candidate", **tables) == [
        "the upstream: docker.io/owner/tool:c-v1.3.0-rc.1",
        f"the upstream: tool 1.3.0rc1 on {PYPI}",
    ]


def test_one_version_in_two_spellings_is_one_thing() -> None:
    one, other = (Claim(owner, "package", PYPI, "tool", version) for owner, version in (("a", "1.0"), ("b", "1.0.0")))
    assert one.thing == other.thing
    image, tag = (Claim("a", "image", "docker.io", "a/b", version) for version in ("1.0", "1.0.0"))
    assert image.thing != tag.thing


# Contradictions.


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"image": [IMAGE], "package": [PACKAGE]},
        {"image": [IMAGE], "version": REVISED},
        {"image": [{**IMAGE, "registries": ["docker.io", "ghcr.io", "localhost:5000"]}]},
        {"image": [IMAGE, {**IMAGE, "tag": "{image_tag}-windows"}]},
        {"image": [{**IMAGE, "when": "final", "tag": "{core}"}, {**IMAGE, "when": "candidate"}]},
        {"image": [{**IMAGE, "lines": ["1.1"]}, {**IMAGE, "lines": ["1.2"]}]},
        {"package": [PACKAGE, {**PACKAGE, "index": "https://host.example/simple"}]},
        {"package": [PACKAGE], "version": {"scheme": "pep440"}},
        {"package": [PACKAGE], "version": {"scheme": "pep440", "candidates": []}},
        {"image": [IMAGE], "downstream": [{**DOWNSTREAM, "images": ["owner/tool:{tag}-charts"], "packages": ["x"]}]},
        {"downstream": [{**DOWNSTREAM, "per": "channel", "tag": "{tag}.{channel}.{n}", "images": ["a/b:{tag}.{channel}.{n}"]}]},
    ],
)  # fmt: skip
def test_what_means_one_thing_contradicts_nothing(tables: dict[str, Any]) -> None:
    assert list(contradictions(config(**tables))) == []


@pytest.mark.parametrize(
    ("rule", "tables"),
    [
        ("bad-image", {"image": [{"name": "Owner/tool"}]}),
        ("bad-image", {"image": [{"name": "ghcr.io/owner/tool"}]}),
        ("bad-image", {"image": [{"name": "owner/tool:1"}]}),
        ("bad-image", {"image": [{"name": "owner/{version}"}]}),
        ("bad-image", {"image": [{"name": "a" * 250}]}),
        ("bad-registry", {"image": [{**IMAGE, "registries": []}]}),
        ("bad-registry", {"image": [{**IMAGE, "registries": ["https://ghcr.io"]}]}),
        ("bad-registry", {"image": [{**IMAGE, "registries": ["ghcr.io/owner"]}]}),
        ("unknown-name", {"image": [{**IMAGE, "tag": "{image_tag}-{os}"}]}),
        ("bad-image-tag", {"image": [{**IMAGE, "tag": "{version}"}], "version": REVISED}),
        ("bad-image-tag", {"image": [{**IMAGE, "tag": "-{version}"}]}),
        ("bad-image-tag", {"image": [{**IMAGE, "tag": ""}]}),
        ("bad-line", {"image": [{**IMAGE, "lines": ["1"]}]}),
        ("bad-line", {"package": [{**PACKAGE, "lines": ["1.02"]}]}),
        ("bad-package", {"package": [{"name": "-tool"}]}),
        ("bad-index", {"package": [{**PACKAGE, "index": "http://pypi.org/simple"}]}),
        ("bad-index", {"package": [{**PACKAGE, "index": "pypi"}]}),
        ("secret-in-config", {"package": [{**PACKAGE, "index": "https://me:hunter2@host.example/simple"}]}),
        ("unknown-name", {"package": [{**PACKAGE, "version": "{core}.{build}"}]}),
        ("bad-package-version", {"package": [{**PACKAGE, "version": "release-{version}"}]}),
        ("version-repeats", {"image": [{**IMAGE, "tag": "latest"}]}),
        ("version-repeats", {"image": [{**IMAGE, "tag": "{core}"}]}),
        ("version-repeats", {"image": [{**IMAGE, "tag": "{core}", "when": "final"}], "version": REVISED}),
        ("version-repeats", {"package": [{**PACKAGE, "version": "{line}", "when": "final"}]}),
        ("version-repeats", {"downstream": [{**DOWNSTREAM, "packages": ["tool==1.{minor}"]}]}),
        ("bad-image", {"downstream": [{**DOWNSTREAM, "images": ["owner/tool"]}]}),
        ("bad-image", {"downstream": [{**DOWNSTREAM, "images": ["https://ghcr.io/owner/tool:{tag}"]}]}),
        ("unknown-name", {"downstream": [{**DOWNSTREAM, "images": ["owner/tool:{tag}.{channel}"]}]}),
        ("bad-package", {"downstream": [{**DOWNSTREAM, "packages": ["#tool"]}]}),
        ("bad-package", {"downstream": [{**DOWNSTREAM, "packages": ["tool=="]}]}),
        ("bad-package", {"downstream": [{**DOWNSTREAM, "packages": ["http://host.example/simple#tool"]}]}),
        ("secret-in-config", {"downstream": [{**DOWNSTREAM, "packages": ["https://me:hunter2@host.example/#tool"]}]}),
        ("image-claimed-twice", {"image": [IMAGE, IMAGE]}),
        ("image-claimed-twice", {"image": [{**IMAGE, "registries": ["docker.io", "index.docker.io"]}]}),
        ("image-claimed-twice", {"image": [{"name": "tool"}, {"name": "library/tool"}]}),
        ("image-claimed-twice", {"image": [{**IMAGE, "when": "final", "tag": "v{core}"}, IMAGE]}),
        ("image-claimed-twice", {"image": [{**IMAGE, "lines": ["1.2"], "tag": "v1.2.{patch}", "when": "final"}, IMAGE]}),
        ("image-claimed-twice", {"image": [IMAGE], "downstream": [{**DOWNSTREAM, "images": ["owner/tool:v{version}"]}]}),
        ("package-claimed-twice", {"package": [PACKAGE, {"name": "Tool", "index": f"{PYPI}/"}]}),
        ("package-claimed-twice", {"package": [{"name": "a_b"}], "downstream": [{**DOWNSTREAM, "packages": ["A.b"]}]}),
    ],
)  # fmt: skip
def test_each_contradiction_is_told_alone_and_with_a_remedy(rule: str, tables: dict[str, Any]) -> None:
    assert rules(**tables) == [rule]
    assert "hunter2" not in why(**tables)
    assert rule in [one.rule for one in contradictions(config(**tables))]


def test_who_claims_the_same_is_named() -> None:
    two = [{**DOWNSTREAM, "name": name, "tag": name + "-{tag}", "images": ["a/b:{tag}"]} for name in ("one", "two")]
    assert "'one' and 'two' claim one tag of image docker.io/a/b" in why(downstream=two)


def test_rules_that_no_version_fits_are_told_by_others_and_break_nothing_here() -> None:
    assert rules(image=[IMAGE], version={"tag": "v1"}) == []
    assert rules(image=[IMAGE], version={"candidates": ["4"]}) == []
    assert rules(image=[IMAGE], version={"scheme": "pep440", "candidates": ["dev"]}) == []


def test_templates_may_say_what_every_other_template_may() -> None:
    assert OF_A_RELEASE == VALUES


# Who was there before.


def test_a_claim_that_is_taken_says_where_and_what_is_there() -> None:
    image = Claim("rke2", "image", "docker.io", "owner/tool", "v1.0.0")
    package = Claim("the upstream", "package", PYPI, "tool", "1.0")
    found = {image: DIGEST, package: "1.0.0"}
    first, second = taken_conflicts([image, package], found)
    assert (first.rule, second.rule) == ("image-taken", "package-taken")
    assert first.why == f"rke2's image docker.io/owner/tool:v1.0.0 exists, with the digest {DIGEST}"
    assert second.why == f"package tool 1.0 on {PYPI} exists, as 1.0.0"
    assert "choose the next version" in first.remedy
    assert "choose the next" in second.remedy


def test_a_claim_that_is_free_is_none_of_ours_and_one_that_was_not_seen_is_not_free() -> None:
    free, hidden, forgotten = (Claim("a", "image", "ghcr.io", "a/b", tag) for tag in ("1", "2", "3"))
    assert list(taken_conflicts([free], {free: ""})) == []
    told = list(taken_conflicts([free, hidden, forgotten], {free: "", hidden: Hidden("nobody answers", "wake it")}))
    assert [one.rule for one in told] == ["claim-unseen", "claim-unseen"]
    assert told[0].why == "it cannot be told whether a's image ghcr.io/a/b:2 is free: nobody answers"
    assert told[0].remedy == "wake it"
    assert "docker login ghcr.io" in told[1].remedy


def test_what_a_registry_says_does_nothing_to_a_terminal() -> None:
    image = Claim("a", "image", "ghcr.io", "a/b", "1")
    (told,) = taken_conflicts([image], {image: "sha256:\x1b[2J\u202e"})
    assert "\x1b" not in str(told)
    assert "\u202e" not in str(told)


# Two versions with one image tag.


def version(text: str) -> Version:
    found = scheme(VersionRules()).parse(text)
    assert found is not None
    return found


def shared(text: str, *others: str) -> list[str]:
    found = list(shared_image_tag(scheme(VersionRules()), version(text), map(version, others)))
    assert {one.rule for one in found} <= {"image-tag-shared"}
    return [one.why for one in found]


def test_two_versions_that_differ_in_what_registries_do_not_know_have_one_image_tag() -> None:
    assert shared("1.0.0+r1", "1.0.0-r1", "1.0.0-r.1", "1.0.0", "1.0.0+r1") == [
        "1.0.0+r1 and 1.0.0-r1, which exists, both have the image tag v1.0.0-r1"
    ]


def test_a_version_and_itself_and_versions_that_differ_share_nothing() -> None:
    assert shared("1.0.0", "1.0.0", "1.0.1", "1.0.0-rc.1", "1.0.0+r1") == []


def test_versions_whose_tags_are_too_long_for_a_registry_share_what_is_left() -> None:
    long = "1.0.0-" + "a" * 121  # with its v 128 characters: as many as a registry takes
    assert shared(long, f"{long}b") == [f"{long} and {long}b, which exists, both have the image tag v{long}"]
    assert shared(long[:-1], long) == []
