"""What [[package]] with files and [[publish]] must not say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from release.core.config import Config
from release.core.contradictions import contradictions
from release.core.finding import Conflict
from release.core.model import ArtifactWish, PackageWish, Person, Release
from release.core.publishing import package_step, uploaded, yanked_by_hand
from release.core.record import Proof, Record, State

PROJECT = {"name": "up"}
WHEEL, SDIST = "flat_earth-{version}-py3-none-any.whl", "flat_earth-{version}.tar.gz"
BUILT: dict[str, Any] = {"name": "flat-earth", "run": ["make"], "files": [WHEEL, SDIST]}
PACKAGE: dict[str, Any] = {"name": "Flat.Earth", "files": [WHEEL, SDIST]}
PUBLISH: dict[str, Any] = {"name": "npm", "run": ["npm", "publish"], "exists": ["sh", "there.sh", "{version}"]}
PEP440 = {"scheme": "pep440"}
ELSEWHERE = {"index": "https://index.example/simple", "upload": "https://index.example/legacy/"}


def found(**tables: Any) -> tuple[Conflict, ...]:
    conflicts = contradictions(msgspec.convert({"project": PROJECT, **tables}, Config, strict=True))
    assert all(conflict.remedy for conflict in conflicts)
    return conflicts


def packaged(*packages: dict[str, Any], artifacts: tuple[dict[str, Any], ...] = (BUILT,), **tables: Any) -> list[str]:
    tables = {"version": PEP440, **tables}
    return [one.rule for one in found(package=list(packages), artifact=list(artifacts), **tables)]


def published(*publishers: dict[str, Any]) -> list[str]:
    return [one.rule for one in found(publish=list(publishers))]


@pytest.mark.parametrize("packages", [
    [PACKAGE], [{**PACKAGE, "files": [WHEEL]}], [{**PACKAGE, "files": ["flat-earth"]}], [{**PACKAGE, **ELSEWHERE}],
    [{**PACKAGE, "index": "https://test.pypi.org/simple/"}], [{"name": "flat-earth"}],
    [PACKAGE, {**PACKAGE, **ELSEWHERE}],
    [{**PACKAGE, "index": "http://localhost:8080/simple", "upload": "http://localhost:8080/"}],
    [{**PACKAGE, "when": "final"}, {**PACKAGE, "when": "candidate", "index": "https://test.pypi.org/simple"}],
])  # fmt: skip
def test_these_packages_can_be_uploaded(packages: list[dict[str, Any]]) -> None:
    assert packaged(*packages) == []


@pytest.mark.parametrize(("package", "rule"), [
    ({**PACKAGE, "files": ["flat_earth-{version}.zip"]}, "no-such-artifact"),
    ({**PACKAGE, "files": [WHEEL, "{name}.whl"]}, "unknown-name"),
    ({**PACKAGE, "files": [WHEEL, WHEEL]}, "duplicate-name"),
    ({**PACKAGE, "files": ["flat-earth", SDIST]}, "duplicate-name"),
    ({**PACKAGE, "name": "round-earth"}, "package-file"),
    ({**PACKAGE, "version": "{version}.post9", "files": [WHEEL]}, "package-file"),
    ({**PACKAGE, "index": "https://index.example/simple"}, "upload-unknown"),
    ({**PACKAGE, **ELSEWHERE, "upload": "http://index.example/legacy/"}, "bad-index"),
    ({**PACKAGE, **ELSEWHERE, "upload": "index.example"}, "bad-index"),
    ({**PACKAGE, **ELSEWHERE, "upload": "https://me:hunter22@index.example/legacy/"}, "secret-in-config"),
    ({"name": "flat-earth", "upload": "https://index.example/legacy/"}, "unused"),
])  # fmt: skip
def test_a_package_that_cannot_be_uploaded_is_refused(package: dict[str, Any], rule: str) -> None:
    assert packaged(package)[:1] == [rule]


def test_a_password_in_an_address_is_not_shown() -> None:
    told = found(
        artifact=[BUILT], version=PEP440, package=[{**PACKAGE, "upload": "https://me:hunter22@index.example/x"}]
    )
    assert "hunter22" not in "".join(map(str, told))


def test_a_file_that_only_other_releases_build_is_refused() -> None:
    assert packaged(PACKAGE, artifacts=({**BUILT, "when": "final"},)) == ["no-such-artifact", "no-such-artifact"]
    assert packaged({**PACKAGE, "when": "final"}, artifacts=({**BUILT, "when": "final"},)) == []


def test_a_version_that_is_not_spelt_as_files_are_needs_the_name_of_the_build() -> None:
    """`1.0.0-rc.1` is `1.0.0rc1` in a file's name."""
    python = {"name": "flat-earth", "kind": "python"}
    assert packaged(PACKAGE, artifacts=(python,), version={"scheme": "semver"}) == ["no-such-artifact"] * 2
    assert packaged({**PACKAGE, "files": ["flat-earth"]}, artifacts=(python,), version={"scheme": "semver"}) == []


def test_two_packages_that_the_record_could_not_tell_apart_are_refused() -> None:
    one = {**PACKAGE, "index": "https://index.example/a/simple", "upload": "https://index.example/a/"}
    other = {**PACKAGE, "index": "https://index.example/b/simple", "upload": "https://index.example/b/"}
    assert packaged(one, other) == ["duplicate-name"]
    assert packaged({**one, "when": "final"}, {**other, "when": "candidate"}) == []


@pytest.mark.parametrize("publishers", [
    [PUBLISH], [{**PUBLISH, "env": ["NPM_TOKEN", "_x1"], "deadline": "90s", "lines": ["1.33"]}],
    [{**PUBLISH, "when": "final"}, {**PUBLISH, "when": "candidate"}],
])  # fmt: skip
def test_these_can_publish(publishers: list[dict[str, Any]]) -> None:
    assert published(*publishers) == []


@pytest.mark.parametrize(("change", "rule"), [
    ({"run": []}, "empty-run"), ({"exists": []}, "empty-run"), ({"run": [""]}, "empty-run"), ({"run": ["a\0"]}, "empty-run"),
    ({"exists": PUBLISH["run"]}, "bad-exists"), ({"run": ["npm", "{name}"]}, "unknown-name"),
    ({"exists": ["npm", "{name}"]}, "unknown-name"), ({"env": ["NPM TOKEN"]}, "bad-variable"), ({"env": ["1X"]}, "bad-variable"),
    ({"env": ["TOKEN=hunter22"]}, "bad-variable"), ({"env": ["SLUICE_TAG"]}, "bad-variable"),
    ({"env": ["A", "A"]}, "duplicate-name"), ({"name": "../up"}, "bad-name"), ({"name": ""}, "bad-name"),
    ({"deadline": "soon"}, "bad-duration"), ({"lines": ["1"]}, "bad-line"),
])  # fmt: skip
def test_a_publisher_that_cannot_be_one_is_refused(change: dict[str, Any], rule: str) -> None:
    assert published({**PUBLISH, **change}) == [rule]


def test_the_value_of_a_variable_is_not_shown() -> None:
    assert "hunter22" not in "".join(map(str, found(publish=[{**PUBLISH, "env": ["TOKEN=hunter22"]}])))


def test_two_publishers_have_two_names() -> None:
    assert published(PUBLISH, PUBLISH) == ["duplicate-name"]


# What they become.

WISH = PackageWish("flat-earth", "1.0", "https://pypi.org/simple", "https://upload.pypi.org/legacy/", ("app", "x.whl"))


def test_the_name_of_a_build_stands_for_all_its_files() -> None:
    builds = [ArtifactWish("app", files=("a.whl", "a.tar.gz")), ArtifactWish("other", files=("x.whl",))]
    assert uploaded(WISH, builds).files == ("a.whl", "a.tar.gz", "x.whl")


@pytest.mark.parametrize(("index", "says"), [
    ("https://pypi.org/simple", "https://pypi.org/manage/project/flat-earth/release/1.0/"),
    ("https://test.pypi.org/simple", "https://test.pypi.org/manage/project/flat-earth/release/1.0/"),
    ("https://index.example/simple", "that index's own pages"),
])  # fmt: skip
def test_what_was_uploaded_is_yanked_by_hand(index: str, says: str) -> None:
    wish = msgspec.structs.replace(WISH, index=index)
    ann = Person("Ann", "ann@example.org")
    release = Release("1.0", "v1.0", "1.0", "final", "minor", None, "main", "0" * 40, "2026-01-01T00:00:00+00:00", ann)
    state = State("finished", "0" * 40, ann, "2026-01-01T00:00:00+00:00")
    record = Record("1.0", "0" * 40, release, state, {package_step(wish): Proof(assets={"x.whl": "00"})})
    (told,) = yanked_by_hand(record, (wish,))
    assert says in told
    assert yanked_by_hand(msgspec.structs.replace(record, evidence={}), (wish,)) == ()
    assert yanked_by_hand(None, (wish,)) == ()
