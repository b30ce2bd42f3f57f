"""Every source of a bump is asked about a real history, and says where it saw what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.world import World, made

CONFIG = """\
[project]
name = "demo"

[changes]
sources = ["fragments", "paths", "python-api", "dependencies", "upstream"]
packages = ["src/foo"]

[changes.fragment]
improvement = "minor"

[[changes.path]]
match = ["charts/**"]
bump = "minor"
why = "what is installed"

[[upstream]]
name = "k3s"
path = "versions.env"
pattern = '^K3S=(?P<value>\\S+)'
scheme = "semver+revision"
revision = "k3s"
"""
BEFORE = {
    "src/foo/__init__.py": "from ._a import f\n__all__ = ['f']\n",
    "src/foo/_a.py": "def f(a): ...\n",
    "versions.env": "K3S=v1.33.1+k3s1\n",
    "requirements.txt": "requests>=2.31\n",
    "image/Dockerfile": "ARG GO=1.22\nFROM golang:${GO}\n",
    "charts/values.yaml": "a: 1\n",
    "changes.d/README.md": "How to write one.\n",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path / "world", CONFIG, ())


@pytest.fixture
def clone(world: World) -> Path:
    """A clone of an upstream whose v1.2.0 has all the files."""
    clone = world.clone("captain")
    world.commit(clone, BEFORE, "feat: all of it")
    world.git(clone, "push", "--quiet", "origin", "HEAD:refs/tags/v1.2.0")
    return clone


def reasons(world: World, clone: Path, files: dict[str, str]) -> tuple[str, set[tuple[str, str]]]:
    world.commit(clone, files, "chore: another")
    value: Any = world.invoke(clone, "release.version", "--format", "json").expect(0).value
    return value["next"], {(reason["source"], reason["bump"]) for reason in value["reasons"]}


def test_each_source_says_where_and_how_far(world: World, clone: Path) -> None:
    files = {
        "src/foo/_a.py": "def f(a, b=1): ...\n",
        "versions.env": "# newer\nK3S=v1.33.2+k3s1\n",
        "requirements.txt": "requests>=3\n",
        "image/Dockerfile": "ARG GO=1.23\nFROM golang:${GO}\n",
        "charts/values.yaml": "a: 2\n",
        "changes.d/7.fixed.md": "It works.\n",
        "changes.d/+.Improvement.md": "It is better.\n",
        "changes.d/README.md": "How to write a good one.\n",
    }
    assert reasons(world, clone, files) == (
        "1.3.0",
        {
            ("foo.f", "minor"),
            ("versions.env:2", "patch"),
            ("requirements.txt", "minor"),
            ("image/Dockerfile", "patch"),
            ("charts/values.yaml", "minor"),
            ("changes.d/7.fixed.md", "patch"),
            ("changes.d/+.Improvement.md", "minor"),
        },
    )


@pytest.mark.parametrize(
    ("files", "version", "source"),
    [
        ({"src/foo/_a.py": "def f(): ...\n"}, "2.0.0", "foo.f"),
        ({"versions.env": "K3S=v2.0.0+k3s1\n"}, "2.0.0", "versions.env:1"),
        ({"changes.d/7.removal.md": "It is gone.\n"}, "2.0.0", "changes.d/7.removal.md"),
        ({"requirements.txt": "a b c\n"}, "1.2.1", "requirements.txt"),
        ({"changes.d/7.braking.md": "It is gone.\n"}, "1.2.1", "changes.d/7.braking.md"),
    ],
)
def test_one_change_alone_decides(world: World, clone: Path, files: dict[str, str], version: str, source: str) -> None:
    assert reasons(world, clone, files) == (
        version,
        {(source, {"2.0.0": "major", "1.2.1": "patch"}[version])},
    )


def test_what_no_source_reads_calls_for_nothing(world: World, clone: Path) -> None:
    assert reasons(world, clone, {"docs/a.md": "x", "src/foo/_a.py": "def f(a):\n    return a\n"})[1] == set()


def test_a_link_is_no_news_fragment_and_becomes_none_by_being_changed(world: World, clone: Path) -> None:
    for path, target in (
        ("12.feature.md", "/etc/passwd"),
        ("13.removal.md", "README.md"),
        ("deep/14.feature.md", ".."),
    ):
        link = clone / "changes.d" / path
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(target)
    (clone / "changes.d/15.fixed.sh").write_text("It runs.\n")
    (clone / "changes.d/15.fixed.sh").chmod(0o755)
    (clone / "changes.d/README.md").unlink()
    assert reasons(world, clone, {}) == ("1.2.1", {("changes.d/15.fixed.sh", "patch")})
    (clone / "changes.d/12.feature.md").unlink()
    (clone / "changes.d/12.feature.md").symlink_to("/etc/shadow")
    told = world.invoke(clone, "release.changelog").expect(0, "It runs")
    assert reasons(world, clone, {})[1] == {("changes.d/15.fixed.sh", "patch")}
    assert "/etc" not in told.out + world.invoke(clone, "release.changelog").expect(0, "It runs").out
    (clone / "changes.d/13.removal.md").unlink()
    assert reasons(world, clone, {"changes.d/13.removal.md": "It is gone.\n"})[0] == "2.0.0"


@pytest.mark.parametrize(
    ("before", "after", "verb"),
    [
        (b"# f\xfcr\nrequests>=2\n", b"# for\nrequests>=3\n", "was"),
        (b"requests>=2\n", b"# f\xfcr\nrequests>=3\n", "is"),
        (b"# f\xfcr\nrequests>=2\n", b"# f\xe4r\nrequests>=3\n", "was"),
    ],
)
def test_dependencies_that_are_not_utf_8_are_unknown_before_or_now(
    world: World, clone: Path, before: bytes, after: bytes, verb: str
) -> None:
    (clone / "requirements.txt").write_bytes(before)
    world.commit(clone, {}, "chore: before")
    world.git(clone, "push", "--quiet", "origin", "HEAD:refs/tags/v1.2.1")
    (clone / "requirements.txt").write_bytes(after)
    world.commit(clone, {}, "chore: after")
    value: Any = world.invoke(clone, "release.version", "--format", "json").expect(0).value
    (reason,) = value["reasons"]
    assert (value["next"], reason["source"], reason["bump"]) == ("1.2.2", "requirements.txt", "patch")
    assert reason["what"] == f"it changed, and cannot be read: it {verb} not UTF-8"


def test_what_is_built_on_is_known_from_a_file_that_was_not_utf_8_and_has_to_be_utf_8_now(
    world: World, clone: Path
) -> None:
    (clone / "versions.env").write_bytes(b"# f\xfcr\nK3S=v1.33.1+k3s1\n")
    world.commit(clone, {}, "chore: before")
    world.git(clone, "push", "--quiet", "origin", "HEAD:refs/tags/v1.2.1")
    world.commit(clone, {}, "chore: more")
    answer = world.invoke(clone, "release.version").expect(1)
    assert "versions.env at " in answer.err
    assert "is not UTF-8\n       save it as UTF-8 and commit it" in answer.err
    files = {"versions.env": "# for\nK3S=v1.34.0+k3s1\n"}
    assert reasons(world, clone, files) == ("1.3.0", {("versions.env:2", "minor")})


def test_code_that_does_not_parse_ends_the_run_and_is_named(world: World, clone: Path) -> None:
    world.commit(clone, {"src/foo/b.py": "x = 1\ndef f(:\n"}, "chore: broken")
    answer = world.invoke(clone, "release.version", "--format", "json").expect(1)
    assert "src/foo/b.py:2 at the commit to release is not Python" in answer.err
