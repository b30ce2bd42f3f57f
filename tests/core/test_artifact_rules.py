"""What [[artifact]] and [attest] must not say."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from release.core.config import Config
from release.core.contradictions import contradictions
from release.core.finding import Conflict

UP = {"name": "up"}
RUN = {"run": ["make"]}
BOTH = ["linux/amd64", "linux/arm64"]
COMMAND: dict[str, Any] = {"name": "app", **RUN}
PYTHON = {"name": "app", "kind": "python"}
ARCHIVE: dict[str, Any] = {"name": "app-{version}.tar.gz", "kind": "archive", "include": ["src/**", "README"]}
ATTEST = {"sbom": "{project}-{version}.cdx.json", "provenance": "{project}-{version}.intoto.jsonl"}
KEY = {**ATTEST, "sign": "key", "public": "keys/release.pem"}
IDENTITY = "https://github.com/o/r/.github/workflows/release.yml@refs/tags/{tag}"
KEYLESS = {**ATTEST, "sign": "sigstore", "identity": IDENTITY, "issuer": "https://token.actions.githubusercontent.com"}


def found(*artifacts: dict[str, Any], **tables: Any) -> tuple[Conflict, ...]:
    tables = {"project": UP, "artifact": list(artifacts), **tables}
    conflicts = contradictions(msgspec.convert(tables, Config, strict=True))
    assert all(conflict.remedy for conflict in conflicts)
    return conflicts


def rules(*artifacts: dict[str, Any], **tables: Any) -> list[str]:
    return [conflict.rule for conflict in found(*artifacts, **tables)]


@pytest.mark.parametrize("artifacts", [
    [{**COMMAND, "files": ["a-{arch}", "a-{arch}.sig"], "name": "a-{arch}", "platforms": BOTH}],
    [{**COMMAND, "files": ["a"], "path": "dist/a"}], [PYTHON], [{**PYTHON, "path": "python/app"}],
    [{**PYTHON, "files": ["app-{version}-py3-none-any.whl"]}], [ARCHIVE], [{**ARCHIVE, "name": "a.zip"}],
    [{**ARCHIVE, "include": ["**/*.[ch]"], "folder": "app-{version}"}],
    [{**COMMAND, "name": "b"}, {**ARCHIVE, "artifacts": ["b"]}, {**COMMAND, "name": "c", "artifacts": ["app-{version}.tar.gz"]}],
    [{**COMMAND, "name": "b-{arch}", "platforms": BOTH}, {"name": "a-{arch}.tgz", "kind": "archive", "artifacts": ["b-{arch}"], "platforms": BOTH}],
    [{**COMMAND, "name": "b-{arch}", "platforms": BOTH}, {"name": "a.tgz", "kind": "archive", "artifacts": ["b-amd64", "b-arm64"]}],
    [{**COMMAND, "name": "x", "files": ["a"], "when": "final"}, {**COMMAND, "name": "y", "files": ["a"], "when": "candidate"}],
    [{**COMMAND, "name": "x", "files": ["a"], "lines": ["1.2"]}, {**COMMAND, "name": "y", "files": ["a"], "lines": ["1.3"]}],
])  # fmt: skip
def test_what_can_be_built_is_let_pass(artifacts: list[dict[str, Any]]) -> None:
    assert found(*artifacts) == ()


@pytest.mark.parametrize(("artifact", "rule"), [
    ({**COMMAND, "include": ["a"]}, "unused"), ({**COMMAND, "folder": "a"}, "unused"),
    ({**PYTHON, **RUN}, "unused"), ({**PYTHON, "include": ["a"]}, "unused"), ({**PYTHON, "folder": "a"}, "unused"),
    ({**ARCHIVE, **RUN}, "unused"), ({**ARCHIVE, "path": "a"}, "unused"), ({**ARCHIVE, "files": ["a"]}, "unused"),
    ({**COMMAND, "run": []}, "empty-run"), ({**COMMAND, "path": "a", "files": ["a", "b"]}, "bad-path"),
    ({**COMMAND, "files": ["a/b"]}, "bad-name"), ({**COMMAND, "files": [".."]}, "bad-name"),
    ({**COMMAND, "files": [""]}, "bad-name"), ({**COMMAND, "files": ["a", "{os}"]}, "unknown-name"),
    ({**COMMAND, "files": ["a b"]}, "bad-name"), ({**COMMAND, "files": ["a\n"]}, "bad-name"),
    ({**COMMAND, "files": ["a-{platform}"], "name": "{arch}", "platforms": BOTH[:1]}, "unknown-name"),
    ({**COMMAND, "files": ["release.json"]}, "reserved-name"), ({**COMMAND, "files": ["a", "sha256sum-x.txt"]}, "reserved-name"),
    ({**PYTHON, "name": "app-"}, "bad-name"), ({**PYTHON, "files": ["app.tgz"]}, "bad-name"),
    ({**PYTHON, "path": "../app"}, "bad-path"), ({**PYTHON, "path": "{os}"}, "unknown-name"),
    ({**ARCHIVE, "name": "app.tar.xz"}, "bad-name"), ({**ARCHIVE, "include": []}, "empty-archive"),
    ({**ARCHIVE, "include": ["../x"]}, "bad-path"), ({**ARCHIVE, "include": ["/etc/*"]}, "bad-path"),
    ({**ARCHIVE, "include": ["{os}"]}, "unknown-name"), ({**ARCHIVE, "include": [".git/config"]}, "bad-path"),
    ({**ARCHIVE, "folder": "a/../.."}, "bad-path"), ({**ARCHIVE, "folder": "/"}, "bad-path"),
    ({**ARCHIVE, "artifacts": ["{os}"]}, "unknown-name"), ({**ARCHIVE, "artifacts": ["b"]}, "no-such-artifact"),
    ({**ARCHIVE, "name": "a.tar", "artifacts": ["a.tar"]}, "cycle"),
    ({**COMMAND, "files": ["a", "a"]}, "duplicate-name"), ({**COMMAND, "files": ["a"], "name": "{arch}", "platforms": BOTH}, "duplicate-name"),
    ({**COMMAND, "files": ["a-{arch}"], "platforms": BOTH}, "duplicate-name"),
    ({**COMMAND, "lines": ["x"]}, "bad-line"), ({**COMMAND, "platforms": ["x"]}, "bad-platform"),
])  # fmt: skip
def test_one_table_that_says_what_it_must_not(artifact: dict[str, Any], rule: str) -> None:
    assert rules(artifact) == [rule]


def test_two_builds_of_one_release_do_not_make_the_same_file() -> None:
    one, two = {**COMMAND, "name": "x", "files": ["a", "b"]}, {**COMMAND, "name": "y", "files": ["c", "b"]}
    (conflict,) = found(one, two)
    assert conflict.why == "artifact[0] and artifact[1] both make a file as 'b'"
    assert rules(one, {**COMMAND, "name": "a"}) == ["duplicate-name"]
    assert rules({**one, "when": "final"}, {**two, "lines": ["1.2"]}) == ["duplicate-name"]


def test_different_templates_may_give_one_name() -> None:
    """For a final, {version} and {core} are the same; for a candidate they are not."""
    one, two = {**COMMAND, "name": "a-{version}"}, {**COMMAND, "name": "a-{core}"}
    assert rules(one, two) == ["duplicate-name"]
    assert rules(one, {**two, "when": "candidate"}) == []


def test_a_python_project_and_an_archive_may_both_make_a_tarball_of_one_name() -> None:
    assert rules(PYTHON, {**ARCHIVE, "name": "app-{version}.tar.gz"}) == ["duplicate-name"]


def test_what_is_made_of_a_file_has_to_be_for_releases_that_have_it() -> None:
    part, whole = {**COMMAND, "name": "b", "when": "final"}, {**ARCHIVE, "artifacts": ["b"]}
    (conflict,) = found(part, whole)
    assert (conflict.rule, conflict.why) == (
        "no-such-artifact",
        "artifact[1].artifacts has 'b', which no [[artifact]] makes for such a release",
    )
    assert found(part, {**whole, "when": "final"}) == ()


def test_a_cycle_is_drawn() -> None:
    tables = [{"name": f"{a}.tar", "kind": "archive", "artifacts": [f"{b}.tar"]} for a, b in ("ab", "bc", "ca")]
    (conflict,) = found(*tables)
    assert conflict.rule == "cycle"
    ring = conflict.why.removeprefix("artifacts are made of each other: ").split(" -> ")
    assert set(pairwise(ring)) == {("a.tar", "b.tar"), ("b.tar", "c.tar"), ("c.tar", "a.tar")}


@pytest.mark.parametrize("attest", [{}, ATTEST, KEY, KEYLESS, {**KEYLESS, **KEY, "sign": "auto"}, {"sbom": "s.json"}])
def test_attestations_that_can_be_made_are_let_pass(attest: dict[str, str]) -> None:
    assert found(COMMAND, attest=attest) == ()


@pytest.mark.parametrize(("attest", "rule"), [
    ({"sbom": "a/b"}, "bad-name"), ({"provenance": "{os}"}, "unknown-name"), ({"sbom": "release.json"}, "reserved-name"),
    ({"provenance": "sha256sum.txt"}, "reserved-name"), ({"sbom": "x", "provenance": "x"}, "duplicate-name"),
    ({"sbom": "app"}, "duplicate-name"), ({"provenance": "app"}, "duplicate-name"),
    ({**KEY, "provenance": ""}, "nothing-to-sign"), ({**KEYLESS, "provenance": ""}, "nothing-to-sign"),
    ({**KEY, "key": ""}, "no-signing-key"), ({**KEY, "key": "env:"}, "bad-variable"), ({**KEY, "key": "env:A B"}, "bad-variable"),
    ({**KEY, "key": "-----BEGIN PRIVATE KEY-----\nx"}, "secret-in-config"),
    ({**KEY, "public": ""}, "no-public-key"), ({**KEY, "public": "../k.pem"}, "bad-path"),
    ({**KEYLESS, "identity": ""}, "no-identity"), ({**KEYLESS, "issuer": ""}, "no-issuer"),
    ({**KEYLESS, "issuer": "http://example.org"}, "no-issuer"), ({**KEYLESS, "identity": "{os}"}, "unknown-name"),
    ({**KEY, "sign": "auto", "issuer": KEYLESS["issuer"]}, "no-identity"), ({**KEYLESS, "sign": "auto"}, "no-public-key"),
    ({**ATTEST, "public": "k.pem"}, "unused"), ({**ATTEST, "identity": "x"}, "unused"),
])  # fmt: skip
def test_attestations_that_say_nothing_or_that_nobody_could_verify(attest: dict[str, str], rule: str) -> None:
    assert rules(COMMAND, attest=attest) == [rule]


def test_no_key_is_repeated() -> None:
    (conflict,) = found(attest={**KEY, "key": "-----BEGIN PRIVATE KEY-----\nhunter2"})
    assert "hunter2" not in str(conflict)


@pytest.mark.parametrize(("tables", "place"), [
    ({"artifact": [{**COMMAND, "files": ["a~b"]}]}, "artifact[0].files"), ({"artifact": [{**COMMAND, "name": "a."}]}, "artifact[0].name"),
    ({"attest": {"sbom": "a~"}}, "attest.sbom"), ({"attest": {"provenance": "{project}."}}, "attest.provenance"),
])  # fmt: skip
def test_no_asset_gets_another_name_from_the_forge(tables: dict[str, Any], place: str) -> None:
    (conflict,) = contradictions(msgspec.convert({"project": {**UP, "forge": "github"}, **tables}, Config))
    assert (conflict.rule, conflict.why.partition(" is ")[0]) == ("bad-name", place)
    assert contradictions(msgspec.convert({"project": UP, **tables}, Config)) == ()
