"""A difference in dependencies raises a version as far as its users are likely to notice it, and never is major."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.adapters.manifests import asked
from release.core.config import ChangeRules, Config
from release.core.dependencies import dependency_reasons, manifests
from release.core.facts import Facts
from release.core.model import Reason
from release.core.needs import Manifest
from release.core.reasons import MOST

CONFIG = Config(changes=ChangeRules(sources=("dependencies",)))


def reasons(path: str, before: str | None, after: str | None) -> list[Reason]:
    """What is said of a file by its texts: the readers are real."""
    old, new = (None if text is None else asked(path, text) for text in (before, after))
    return list(dependency_reasons(CONFIG, Facts(manifests=(Manifest(path, old, new),)), ()))


def told(path: str, before: str, after: str) -> list[tuple[str, str, str]]:
    found = reasons(path, before, after)
    assert {reason.source for reason in found} <= {path}
    return [(reason.what, reason.bump, reason.why) for reason in found]


@pytest.mark.parametrize(
    ("before", "after", "what", "bump", "why"),
    [
        ("a>=1.2", "a>=2.0", "a raised from >=1.2 to >=2.0", "minor", "dependency raised by a major version"),
        ("a>=1.2", "a>=1.3", "a raised from >=1.2 to >=1.3", "patch", "dependency raised"),
        (
            "a==0.3.1",
            "a==0.4",
            "a raised from ==0.3.1 to ==0.4",
            "minor",
            "dependency raised by a minor version of 0.x",
        ),
        ("a==0.3.1", "a==0.3.2", "a raised from ==0.3.1 to ==0.3.2", "patch", "dependency raised"),
        ("a==0.9", "a==1.0", "a raised from ==0.9 to ==1.0", "minor", "dependency raised by a major version"),
        ("a>=2", "a>=1", "a lowered from >=2 to >=1", "patch", "dependency lowered"),
        ("a>=1,<2", "a>=1,<3", "a changed from <2,>=1 to <3,>=1", "patch", "dependency changed"),
        ("a>=1.2", "a>=1.2.0", "a changed from >=1.2 to >=1.2.0", "patch", "dependency changed"),
        ("a", "a>=9", "a changed from any version to >=9", "patch", "dependency changed"),
        ("b\na", "a", "b removed", "patch", "dependency removed"),
        ("a", "a\nb>=9", "b >=9 added", "patch", "dependency added"),
    ],
)
def test_a_requirement_that_changed(before: str, after: str, what: str, bump: str, why: str) -> None:
    assert told("requirements.txt", before, after) == [(what, bump, why)]


def test_the_same_name_written_otherwise_is_no_difference() -> None:
    assert told("requirements.txt", "Foo_Bar >= 1  # x\n", "# y\nfoo.bar>=1\n") == []


def test_a_module_that_is_needed_itself_now_is_the_same_module() -> None:
    assert told("go.mod", "require a v1.0.0 // indirect", "require a v1.0.0") == []


def test_one_name_for_several_platforms_is_compared_by_what_differs() -> None:
    before = 'a==1.0; python_version < "3.9"\na==2.0; python_version >= "3.9"\n'
    after = 'a==1.0; python_version < "3.9"\na==3.0; python_version >= "3.9"\n'
    ((what, bump, _),) = told("requirements.txt", before, after)
    assert what == 'a raised from ==2.0; python_version >= "3.9" to ==3.0; python_version >= "3.9"'
    assert bump == "minor"


@pytest.mark.parametrize(
    ("before", "after", "what", "bump", "why"),
    [
        ("require a/b v1.9.0", "require a/b/v2 v2.0.0", "a/b raised from v1.9.0 to v2.0.0", "minor", "dependency raised by a major version"),
        ("require gopkg.in/y.v2 v2.4.0", "require gopkg.in/y.v3 v3.0.1", "gopkg.in/y raised from v2.4.0 to v3.0.1", "minor", "dependency raised by a major version"),
        ("require a v1.0.0 // indirect", "require a v2.0.0 // indirect", "a raised from v1.0.0 to v2.0.0", "patch", "indirect dependency raised"),
        ("require a v0.0.0-20240101000000-aaaaaaaaaaaa", "require a v0.0.0-20250101000000-bbbbbbbbbbbb", "a changed from v0.0.0-20240101000000-aaaaaaaaaaaa to v0.0.0-20250101000000-bbbbbbbbbbbb", "patch", "dependency changed"),
        ("replace a => b v1.0.0", "replace a => b v1.0.1", "a (replaced) raised from => b v1.0.0 to => b v1.0.1", "patch", "dependency raised"),
        ("replace a => b v1.0.0", "", "a (replaced) => b v1.0.0 removed", "patch", "dependency removed"),
        ("go 1.22", "go 1.23", "go raised from 1.22 to 1.23", "minor", "language raised: who has the old one cannot go along"),
        ("go 1.22.1", "go 1.22.5", "go raised from 1.22.1 to 1.22.5", "patch", "language raised"),
    ],
)  # fmt: skip
def test_a_go_module_that_changed(before: str, after: str, what: str, bump: str, why: str) -> None:
    assert told("sub/go.mod", before, after) == [(what, bump, why)]


@pytest.mark.parametrize(
    ("before", "after", "what", "bump", "why"),
    [
        ("FROM a:1.2", "FROM a:2.0", "a raised from 1.2 to 2.0", "minor", "base image raised by a major version"),
        ("FROM a:1.2-slim", "FROM a:1.3-slim", "a raised from 1.2-slim to 1.3-slim", "patch", "base image raised"),
        ("FROM a:1-slim", "FROM a:1-full", "a changed from 1-slim to 1-full", "patch", "base image changed"),
        ("FROM a:1@sha256:aa", "FROM a:1@sha256:bb", "a changed from 1@sha256:aa to 1@sha256:bb", "patch", "base image changed"),
        ("FROM a:bookworm", "FROM a:trixie", "a changed from bookworm to trixie", "patch", "base image changed"),
        ("ARG V=1\nFROM a:$V", "ARG V=2\nFROM a:$V", "a raised from 1 to 2", "minor", "base image raised by a major version"),
    ],
)  # fmt: skip
def test_a_base_image_that_changed(before: str, after: str, what: str, bump: str, why: str) -> None:
    assert told("Dockerfile", before, after) == [(what, bump, why)]


def test_another_base_image_is_one_more_and_one_less() -> None:
    assert told("Dockerfile", "FROM debian:12", "FROM alpine:3.20 AS x\nFROM x") == [
        ("debian 12 removed", "patch", "base image removed"),
        ("alpine 3.20 added", "patch", "base image added"),
    ]


def test_extras_of_a_project_are_told_apart() -> None:
    text = "[project]\nrequires-python = '>=3.{}'\noptional-dependencies.docs = ['a>={}']\ndependencies = ['a>=1']\n"
    assert told("pyproject.toml", text.format(10, 1), text.format(11, 2)) == [
        ("python raised from >=3.10 to >=3.11", "minor", "language raised: who has the old one cannot go along"),
        ("a (extra docs) raised from >=1 to >=2", "minor", "dependency raised by a major version"),
    ]


def test_a_file_that_comes_or_goes_is_told_as_one() -> None:
    assert reasons("requirements.txt", None, "a\nb") == [
        Reason("requirements.txt", "the file is new, with 2 of what it asks for", "patch", "dependencies")
    ]
    assert reasons("requirements.txt", "a", None)[0].what == "the file went away, with 1 of what it asks for"
    assert reasons("requirements.txt", None, "")[0].what == "the file is new, with 0 of what it asks for"


@pytest.mark.parametrize(("before", "after"), [("a b", "a"), ("a", "a b"), ("a b", "a c")])
def test_a_file_that_cannot_be_read_says_that_it_changed(before: str, after: str) -> None:
    (reason,) = reasons("requirements.txt", before, after)
    assert reason.bump == "patch"
    assert reason.what.startswith("it changed, and cannot be read: line 1: ")


def test_a_new_file_that_cannot_be_read_is_told_as_well() -> None:
    (reason,) = reasons("requirements.txt", None, "a b")
    assert (reason.bump, reason.why) == ("patch", "dependencies unknown")


def test_only_files_that_count_are_looked_at() -> None:
    paths = ["requirements-dev.txt", "docs/requirements.txt", "sub/go.mod", "pyproject.toml", "x/Dockerfile", "a.py"]
    assert manifests(CONFIG, paths) == ("requirements-dev.txt", "sub/go.mod", "pyproject.toml", "x/Dockerfile")
    only = Config(changes=ChangeRules(manifests=("deploy/*.Dockerfile",)))
    assert manifests(only, ["Dockerfile", "deploy/a.Dockerfile"]) == ("deploy/a.Dockerfile",)


def test_a_hundred_raised_modules_are_told_as_a_few_with_the_weightiest_first() -> None:
    before = "\n".join(f"require m{n} v1.0.0" for n in range(100))
    after = "\n".join(f"require m{n} v{2 if n == 77 else 1}.1.0" for n in range(100))
    found = reasons("go.mod", before, after)
    assert len(found) == MOST + 1
    assert found[0].what == "m77 raised from v1.0.0 to v2.1.0"
    assert found[0].bump == "minor"
    assert found[-1].what == "and 80 more"


TEXTS = st.lists(
    st.sampled_from(["a==1", "a==2", "b>=0.1", "b>=0.2", "c", "c<3", "d; x", "\x1b[2J", "-e ."]), max_size=6
)


@given(TEXTS, TEXTS)
def test_never_major_never_silent_about_a_difference_and_nothing_without_one(
    before: list[str], after: list[str]
) -> None:
    found = reasons("requirements.txt", "\n".join(before), "\n".join(after))
    assert {reason.bump for reason in found} <= {"patch", "minor"}
    assert all("\x1b" not in reason.what for reason in found)
    if not {"d; x", "\x1b[2J"} & {*before, *after}:
        assert bool(found) == (set(before) != set(after))
