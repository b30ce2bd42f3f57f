"""A configuration that contradicts itself is told so before the first look at the world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from release.config import load
from release.core.config import Config, seconds
from release.core.contradictions import contradictions
from release.core.notation import VALUES
from release.core.version import scheme, template_values

REVISED = {"scheme": "semver+revision", "revision": "rke2r"}
FILE = {"path": "a/b.txt", "pattern": "v(?P<value>.+)", "value": "{core}"}
GATE = {"name": "tests", "run": ["nox"]}
ARTIFACT = {"name": "tool-{version}.tar.gz", "run": ["make"]}
DOWNSTREAM = {"name": "one", "repository": "../one.git"}
PACKAGING = {**DOWNSTREAM, "name": "packaging", "per": "channel", "tag": "{tag}.{channel}.{n}"}


def config(**tables: Any) -> Config:
    return msgspec.convert(tables, Config, strict=True)


def rules(**tables: Any) -> list[str]:
    return [conflict.rule for conflict in contradictions(config(**tables))]


def why(**tables: Any) -> str:
    (conflict,) = contradictions(config(**tables))
    assert conflict.remedy
    return conflict.why


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"version": REVISED},
        {"version": {"source": "file", "file": [FILE]}},
        {"version": {"file": [FILE]}, "changelog": {"file": "docs/CHANGELOG.md"}, "commit": {"mode": "push"}},
        {"version": {"source": "file", "file": [FILE], "final_from_candidate": True}, "commit": {"mode": "push"}},
        {"version": {"tag": "sub/module/v{version}", "branches": ["release-{line}", "release/v{line}.x", "main"]}},
        {"version": {**REVISED, "tag": "v{version}"}, "project": {"name": "rke2", "since": "v1.30.0+rke2r1"}},
        {"version": {**REVISED, "revision": "k3s"}},
        {"version": {"scheme": "pep440"}, "project": {"since": "v1.0.0rc1"}},
        {"version": {"scheme": "pep440", "candidates": ["a", "beta", "rc"]}},
        {"version": {"scheme": "pep440", "candidates": []}},
        {"version": {"tag": "{name}@{version}"}, "project": {"name": "tool", "since": "tool@1.0.0"}},
        {"gate": [GATE, {**GATE, "name": "lint/a"}]},
        {"gate": [{**GATE, "when": "final"}, {**GATE, "when": "candidate"}]},
        {"gate": [{**GATE, "lines": ["1.1"]}, {**GATE, "lines": ["1.2"]}]},
        {"artifact": [{**ARTIFACT, "name": "rke2.linux-{arch}", "platforms": ["linux/amd64", "linux/arm64"]}]},
        {"artifact": [{**ARTIFACT, "name": "{os}-{arch}", "platforms": ["linux/arm64", "windows/arm64"]}]},
        {"artifact": [{**ARTIFACT, "path": "dist/{os}/{version}.gz", "platforms": ["linux/arm/v7"]}]},
        {"artifact": [{**ARTIFACT, "when": "final"}, {**ARTIFACT, "when": "candidate"}]},
        {"release": {"output": "/srv/releases"}},
        {"downstream": [DOWNSTREAM, {**DOWNSTREAM, "name": "two", "after": ["one"], "tag": "x-{version}"}]},
        {"downstream": [{**PACKAGING, "after": ["one"]}, DOWNSTREAM]},
        {"downstream": [{**DOWNSTREAM, "tag": "{line}/{tag}", "lines": ["1.33", "10.0"]}]},
        {"downstream": [{**DOWNSTREAM, "branch": "release-{line}"}], "release": {"output": "out/{line}"}},
        {"artifact": [{**ARTIFACT, "name": "a-{arch}", "platforms": ["linux/arm/v6", "linux/arm/v7"]}]},
        {"downstream": [{**DOWNSTREAM, "repository": "https://example.org/a/b.git"}]},
        {"artifact": [{**ARTIFACT, "name": name} for name in ("sums.txt", "release.json.gz", "my-release.json")]},
        {"artifact": [{**ARTIFACT, "name": "release.{os}", "platforms": ["linux/arm64"]}]},
        {"downstream": [{**DOWNSTREAM, "when": "final"}, {**DOWNSTREAM, "name": "two", "when": "candidate"}]},
        {"downstream": [{**DOWNSTREAM, "lines": ["1.1"]}, {**DOWNSTREAM, "name": "two", "lines": ["1.2"]}]},
        {"downstream": [DOWNSTREAM, {**PACKAGING, "repository": DOWNSTREAM["repository"]}]},
    ],
)
def test_what_means_one_thing_has_no_conflict(tables: dict[str, Any]) -> None:
    assert contradictions(config(**tables)) == ()


@pytest.mark.parametrize(
    ("version", "rule"),
    [
        ({"scheme": "semver+revision"}, "revision-missing"),
        ({"revision": "rke2r"}, "revision-unused"),
        ({"scheme": "semver+revision", "revision": "rke2"}, "bad-revision"),
        ({"scheme": "semver+revision", "revision": "a+r"}, "bad-revision"),
        ({"source": "file"}, "no-version-file"),
        ({"candidates": [], "final_from_candidate": True}, "no-candidates"),
        ({"candidates": ["rc", "rc"]}, "duplicate-name"),
        ({"candidates": ["rc1"]}, "bad-candidate"),
        ({"candidates": [""]}, "bad-candidate"),
        ({"scheme": "pep440", "revision": "post"}, "revision-unused"),
        ({"scheme": "pep440", "candidates": ["dev"]}, "bad-candidate"),
        ({"scheme": "pep440", "candidates": ["RC"]}, "bad-candidate"),
        ({"scheme": "pep440", "candidates": [""]}, "bad-candidate"),
        ({"scheme": "pep440", "candidates": ["a", "beta", "alpha"]}, "duplicate-name"),
        ({"scheme": "pep440", "candidates": ["rc", "rc"]}, "duplicate-name"),
        ({"tag": "v"}, "bad-tag"),
        ({"tag": "{version}-{version}"}, "bad-tag"),
        ({"tag": "{version}-{line}"}, "unknown-name"),
        ({"tag": "{name}-{version}"}, "unknown-name"),
        ({"tag": "-{version}"}, "bad-tag"),
        ({"tag": "a..{version}"}, "bad-tag"),
        ({"tag": "a b{version}"}, "bad-tag"),
        ({"tag": "{version}.lock"}, "bad-tag"),
        ({"tag": "{version}\u2028"}, "bad-tag"),
        ({"branches": ["release-{version}"]}, "bad-branch"),
        ({"branches": ["{line}-{line}"]}, "bad-branch"),
        ({"branches": ["-x"]}, "bad-branch"),
        ({"branches": [""]}, "bad-branch"),
        ({"source": "file", "file": [{**FILE, "path": "/etc/passwd"}]}, "bad-path"),
        ({"source": "file", "file": [{**FILE, "pattern": "("}]}, "bad-pattern"),
        ({"source": "file", "file": [{**FILE, "pattern": "(" * 240 + ")" * 240}]}, "pattern-without-value"),
        ({"source": "file", "file": [{**FILE, "pattern": "v(.+)"}]}, "pattern-without-value"),
        ({"source": "file", "file": [{**FILE, "pattern": "(?P<value>a)" + "a" * 500}]}, "pattern-too-long"),
        ({"source": "file", "file": [{**FILE, "value": "{verson}"}]}, "unknown-name"),
        ({"source": "file", "file": [{**FILE, "value": "{channel}"}]}, "unknown-name"),
    ],
)
def test_version_rules_that_cannot_hold_are_told(version: dict[str, Any], rule: str) -> None:
    assert rules(version=version) == [rule]


@pytest.mark.parametrize(
    "path",
    ["", "/a", "../a", "a/../b", "a/./b", "a//b", "a/", ".git/config", "a/.GIT/x", "C:a", "a\\b", "~/a", "-a", "a\nb"],
)
def test_a_path_stays_inside_the_repository(path: str) -> None:
    found = rules(version={"source": "file", "file": [{**FILE, "path": path}]})
    assert found == ["bad-path"]
    if path:
        assert rules(changelog={"file": path}, commit={"mode": "push"}) == ["bad-path"]
        assert rules(artifact=[{**ARTIFACT, "path": path}]) == ["bad-path"]


@pytest.mark.parametrize(
    ("tables", "written"),
    [
        ({"changelog": {"file": "CHANGELOG.md"}}, "CHANGELOG.md"),
        ({"version": {"file": [FILE]}}, "a/b.txt"),
        ({"version": {"file": [FILE]}, "changelog": {"file": "C.md"}}, "C.md and a/b.txt"),
    ],
)
def test_what_is_to_be_written_needs_a_commit(tables: dict[str, Any], written: str) -> None:
    assert rules(**tables, commit={"mode": "push"}) == []
    assert why(**tables) == f'commit.mode is "none", and {written} cannot be written without a commit'


@pytest.mark.parametrize("template", ["keep-a-changelog", "github", "release-note", "notes.md.j2", "docs/notes.j2"])
def test_a_template_is_built_in_or_a_file_of_the_repository(template: str) -> None:
    assert rules(changelog={"template": template}) == []


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("", "unknown-template"),
        ("GitHub", "unknown-template"),
        ("docs/notes.md", "unknown-template"),
        ("/etc/notes.j2", "bad-path"),
        ("../notes.j2", "bad-path"),
        ("https://example.org/notes.j2", "bad-path"),
        ("a\nb.j2", "bad-path"),
    ],
)
def test_any_other_template_is_told(template: str, rule: str) -> None:
    assert rules(changelog={"template": template}) == [rule]


@pytest.mark.parametrize(
    ("changelog", "found"),
    [
        ({"issues": "https://example.org/browse/ABC-{n}"}, []),
        ({"compare": "http://example.org/a?from={previous}&to={tag}"}, []),
        ({"issues": "https://example.org/issues"}, ["bad-address"]),
        ({"issues": "example.org/{n}"}, ["bad-address"]),
        ({"issues": "javascript:alert({n})"}, ["bad-address"]),
        ({"issues": "https://example.org/{n}) [x](y"}, ["bad-address"]),
        ({"issues": "https://example.org/{n}/{tag}"}, ["unknown-name"]),
        ({"compare": "https://example.org/{tag}"}, ["bad-address"]),
    ],
)
def test_an_address_is_whole_once_its_names_are_filled_in(changelog: dict[str, str], found: list[str]) -> None:
    assert rules(changelog=changelog) == found


@pytest.mark.parametrize(
    "tables", [{"changelog": {"file": "CHANGELOG.md"}, "version": {}}, {"version": {"file": [FILE, FILE]}}]
)
def test_a_final_that_is_its_candidate_leaves_nothing_to_write(tables: dict[str, Any]) -> None:
    tables = {**tables, "version": {**tables["version"], "final_from_candidate": True}, "commit": {"mode": "push"}}
    assert rules(**tables) == ["final-writes"]


def test_a_file_that_is_only_read_needs_no_commit() -> None:
    assert rules(version={"source": "file", "file": [FILE], "final_from_candidate": True}) == []


@pytest.mark.parametrize("since", ["1.30.0+rke2r1", "v1.30", "v1.30.0+rke2", "v1.30.0+rke2r1\u2028"])
def test_the_end_of_history_is_a_tag_of_the_scheme(since: str) -> None:
    assert rules(version=REVISED, project={"since": since}) == ["since-malformed"]


def test_the_end_of_history_is_not_judged_by_rules_that_do_not_hold() -> None:
    assert rules(version={"scheme": "semver+revision"}, project={"since": "v1"}) == ["revision-missing"]


@pytest.mark.parametrize("name", ["", "-a", ".a", "a..b", "a b", "a\n", "ä", "a" * 101, "${x}", "{tag}", "a;b"])
def test_names_are_of_few_characters(name: str) -> None:
    assert rules(gate=[{**GATE, "name": name}]) == ["bad-name"]
    assert rules(downstream=[{**DOWNSTREAM, "name": name}]) == ["bad-name"]
    if name:
        assert rules(project={"name": name}) == ["bad-name"]


@pytest.mark.parametrize("name", ["", "-a", ".a", "a/b", "..", "a..b", "a b", "a\n", "a{b", "a" * 151])
def test_an_artifacts_name_is_one_files_name(name: str) -> None:
    assert rules(artifact=[{**ARTIFACT, "name": name}]) == ["bad-name"]


@pytest.mark.parametrize("name", ["release.json", "sha256sum.txt", "sha256sum-amd64.txt", "sha256sum-{version}.txt"])
def test_an_artifact_does_not_take_the_place_of_what_comes_with_every_release(name: str) -> None:
    assert rules(artifact=[{**ARTIFACT, "name": name}]) == ["reserved-name"]


@pytest.mark.parametrize(
    ("name", "platform"),
    [("sha256sum-{arch}.txt", "linux/arm64"), ("{os}-{arch}.txt", "sha256sum/amd64"), ("release.{os}", "json/x")],
)
def test_a_platform_can_make_such_a_name_too(name: str, platform: str) -> None:
    assert rules(artifact=[{**ARTIFACT, "name": name, "platforms": ["linux/amd64", platform]}]) == ["reserved-name"]


@pytest.mark.parametrize(
    ("tables", "one", "other"),
    [
        ({}, {}, {}),
        ({}, {}, {"tag": "v{version}"}),
        ({}, {"repository": "../x/../one.git/"}, {}),
        ({}, {"when": "final"}, {"after": ["one"]}),
        ({}, {"lines": ["1.1", "1.2"]}, {"lines": ["1.2"]}),
        ({"project": {"name": "tool"}, "version": {"tag": "{name}-{version}"}}, {"tag": "tool-{version}"}, {}),
        ({"project": {"forge": "github"}}, {"repository": "acme/one"}, {"repository": "Acme/One"}),
    ],
)
def test_one_tag_cannot_be_two_downstreams(tables: dict[str, Any], one: dict[str, Any], other: dict[str, Any]) -> None:
    (conflict,) = contradictions(
        config(**tables, downstream=[{**DOWNSTREAM, **one}, {**DOWNSTREAM, "name": "two", **other}])
    )
    assert (conflict.rule, conflict.why) == (
        "same-tag",
        "downstreams 'one' and 'two' have the same tag in the same repository",
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://bob:s3cret@example.org/one.git",
        "https://s3cret@example.org/one.git",
        "HTTP://s3cret@example.org/one.git",
        "https://bob:s3@cret@example.org/one.git",
        "ssh://git:s3cret@example.org/one.git",
        "https://example.org/one.git?private_token=s3cret",
    ],
)
def test_what_opens_a_repository_has_no_place_in_the_file(address: str) -> None:
    for tables in ({"project": {"repository": address}}, {"downstream": [{**DOWNSTREAM, "repository": address}]}):
        (conflict,) = contradictions(config(**tables))
        assert conflict.rule == "secret-in-config"
        assert "repository has a password or a token in it" in conflict.why
        assert "credential helper" in conflict.remedy
        assert "cret" not in str(conflict)


def test_a_repository_that_is_refused_is_told_without_its_secret() -> None:
    found = contradictions(config(downstream=[{**DOWNSTREAM, "repository": "ext::https://s3cret@example.org/x"}]))
    assert [conflict.rule for conflict in found] == ["bad-repository"]
    assert "cret" not in "".join(map(str, found))


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org:8443/a@2/b.git",
        "ssh://git@example.org/x.git",
        "git@example.org:x.git",
        "../a:b@c",
        "/a@b:c@d",
    ],
)
def test_a_user_alone_opens_nothing(address: str) -> None:
    assert rules(project={"repository": address}, downstream=[{**DOWNSTREAM, "repository": address}]) == []


@pytest.mark.parametrize("name", ["{channel}", "{arch}", "x-{verson}", "{Tag}"])
def test_an_artifacts_name_knows_platforms_only_where_there_are_some(name: str) -> None:
    assert rules(artifact=[{**ARTIFACT, "name": name}]) == ["unknown-name"]


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    (conflict,) = contradictions(config(artifact=[{**ARTIFACT, "name": "{verson}"}]))
    assert conflict.why == "artifact[0].name is '{verson}', and {verson} is not known there"
    assert conflict.remedy.startswith("use one of {version}, {tag}, {core}")


@pytest.mark.parametrize(
    ("tables", "rule"),
    [
        ({"gate": [{**GATE, "run": []}]}, "empty-run"),
        ({"gate": [{**GATE, "run": ["", "a"]}]}, "empty-run"),
        ({"gate": [{**GATE, "run": ["a\0"]}]}, "empty-run"),
        ({"artifact": [{**ARTIFACT, "run": []}]}, "empty-run"),
        ({"gate": [{**GATE, "lines": ["1"]}]}, "bad-line"),
        ({"artifact": [{**ARTIFACT, "lines": ["v1.3"]}]}, "bad-line"),
        ({"downstream": [{**DOWNSTREAM, "lines": ["1.33.1"]}]}, "bad-line"),
        ({"artifact": [{**ARTIFACT, "platforms": ["linux"]}]}, "bad-platform"),
        ({"artifact": [{**ARTIFACT, "platforms": ["linux/arm/v7/x"]}]}, "bad-platform"),
        ({"release": {"output": "a\nb"}}, "bad-path"),
        ({"downstream": [{**DOWNSTREAM, "branch": "-x"}]}, "bad-branch"),
        ({"downstream": [{**DOWNSTREAM, "branch": "release-{arch}"}]}, "unknown-name"),
        ({"release": {"output": "out/{arch}"}}, "unknown-name"),
        ({"artifact": [{**ARTIFACT, "name": "a-{platform}", "platforms": ["linux/arm64"]}]}, "unknown-name"),
        ({"downstream": [{**DOWNSTREAM, "branch": ""}]}, "bad-branch"),
        ({"downstream": [{**DOWNSTREAM, "repository": ""}]}, "bad-repository"),
        ({"downstream": [{**DOWNSTREAM, "repository": "-oProxy"}]}, "bad-repository"),
        ({"downstream": [{**DOWNSTREAM, "repository": "ext::sh -c x"}]}, "bad-repository"),
    ],
)
def test_values_that_cannot_be_used_are_told(tables: dict[str, Any], rule: str) -> None:
    assert rules(**tables) == [rule]


@pytest.mark.parametrize(
    "tables",
    [
        {"gate": [GATE, GATE, GATE]},
        {"gate": [GATE, {**GATE, "when": "final"}]},
        {"gate": [{**GATE, "lines": ["1.1", "1.2"]}, {**GATE, "lines": ["1.2"]}]},
        {"artifact": [ARTIFACT, ARTIFACT]},
        {"artifact": [{**ARTIFACT, "platforms": ["linux/amd64", "linux/arm64"]}]},
        {"artifact": [{**ARTIFACT, "name": "{os}", "platforms": ["linux/amd64", "linux/arm64"]}]},
        {
            "artifact": [
                {**ARTIFACT, "name": "a-{arch}", "platforms": ["linux/amd64"]},
                {**ARTIFACT, "name": "a-amd64"},
            ]
        },
        {"downstream": [DOWNSTREAM, {**DOWNSTREAM, "when": "final"}]},
    ],
)
def test_a_name_that_two_would_have_in_one_release_is_told_once(tables: dict[str, Any]) -> None:
    assert rules(**tables) == ["duplicate-name"]


@pytest.mark.parametrize(
    ("downstream", "rule"),
    [
        ({**DOWNSTREAM, "tag": "fixed"}, "bad-tag"),
        ({**DOWNSTREAM, "tag": "{core}"}, "bad-tag"),
        ({**DOWNSTREAM, "tag": "{tag}-{version}"}, "bad-tag"),
        ({**DOWNSTREAM, "tag": "{tag}{patch}"}, "bad-tag"),
        ({**DOWNSTREAM, "tag": "-{tag}"}, "bad-tag"),
        ({**DOWNSTREAM, "tag": "{tag}.{channel}"}, "unknown-name"),
        ({**DOWNSTREAM, "tag": "{tag}.{teg}"}, "unknown-name"),
        ({**PACKAGING, "tag": "{tag}"}, "tag-repeats"),
        ({**PACKAGING, "tag": "{tag}.{channel}"}, "tag-repeats"),
        ({**PACKAGING, "tag": "{channel}.{n}"}, "bad-tag"),
    ],
)
def test_a_downstreams_tag_says_of_which_release_it_is(downstream: dict[str, Any], rule: str) -> None:
    assert rules(downstream=[downstream]) == [rule]


def test_what_comes_after_nobody_is_told() -> None:
    text = why(downstream=[{**DOWNSTREAM, "after": ["two"]}])
    assert text == "downstream one comes after 'two', and there is no such downstream"


def test_nothing_in_a_release_can_wait_for_a_promotion() -> None:
    text = why(downstream=[PACKAGING, {**DOWNSTREAM, "after": ["packaging"]}])
    assert text.startswith("downstream one comes after packaging, which a promotion releases")


@pytest.mark.parametrize(
    ("after", "drawn"),
    [
        ({"a": "a"}, "a -> a (a after a)"),
        ({"a": "b", "b": "a"}, "a -> b -> a (a after b, b after a)"),
        ({"a": "", "b": "d", "c": "b", "d": "c"}, "b -> d -> c -> b (b after d, d after c, c after b)"),
    ],
)
def test_a_cycle_is_drawn(after: dict[str, str], drawn: str) -> None:
    downstreams = [
        {"name": name, "repository": f"../{name}.git", "after": list(first)} for name, first in after.items()
    ]
    assert why(downstream=downstreams) == f"downstreams wait for each other: {drawn}"


def test_the_known_names_are_those_that_a_version_has_values_for() -> None:
    rules = scheme(config().version)
    version = rules.make((1, 2, 3))
    assert tuple(template_values(version, rules.tag(version), rules)) == VALUES


def test_all_conflicts_are_told_at_once_and_in_one_line_each() -> None:
    found = contradictions(
        config(
            project={"name": "a\x1b[31m\n::error"},
            version={"tag": "\n"},
            gate=[{"name": "\u2028", "run": []}],
            downstream=[{**DOWNSTREAM, "repository": "\x1b", "tag": "\n{tag}" * 50}],
        )
    )
    told = [conflict.rule for conflict in found]
    assert told == ["bad-name", "bad-tag", "bad-name", "empty-run", "bad-tag", "bad-repository"]
    assert all(conflict.why.isprintable() and conflict.remedy.isprintable() for conflict in found)


@pytest.mark.parametrize("path", ["release.toml", "examples/rke2/release.toml"])
def test_the_files_we_ship_mean_one_thing(path: str) -> None:
    assert contradictions(load(Path(__file__).parents[2] / path)) == ()


@pytest.mark.parametrize("duration", ["", "30", "m", "-5m", "1.5h", "30 m", "9999999s", "٣m"])
def test_a_deadline_that_is_no_duration_is_refused(duration: str) -> None:
    assert rules(release={"deadline": duration}) == ["bad-duration"]


@pytest.mark.parametrize(("duration", "expected"), [("90s", 90), ("45m", 2700), ("2h", 7200), ("1d", 86400)])
def test_a_duration_is_a_number_and_a_unit(duration: str, expected: int) -> None:
    assert seconds(duration) == expected
    assert not rules(release={"deadline": duration})


def test_a_pull_request_needs_a_forge_to_be_opened_on() -> None:
    there = {"commit": {"mode": "pull-request"}, "changelog": {"file": "CHANGELOG.md"}}
    assert rules(**there) == ["no-forge"]
    assert rules(**there, project={"forge": "github"}) == []
    final = {"version": {"final_from_candidate": True}, "project": {"forge": "github"}}
    assert rules(**there, **final) == ["final-writes"]
