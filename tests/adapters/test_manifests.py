"""What a file asks for is read by the rules of its format, and no content, however hostile, does harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from release.adapters.manifests import Unreadable, asked, needs, number_in
from release.core.needs import Asked, Need

PATHS = ("requirements.txt", "pyproject.toml", "go.mod", "Dockerfile")


def read(path: str, text: str) -> list[tuple[str, str]]:
    return [(one.name, one.wants) for one in needs(path, text)]


# requirements.txt


def test_requirements_are_read_as_pip_reads_them() -> None:
    text = """# a comment
requests >= 2.31 , <3   # why
Zope.Interface==6.0
foo[b,a]~=1.4.2; python_version < "3.12"
-r other.txt
--index-url https://user:pw@example.org/simple
--hash=sha256:abc
bar==1.0 \\
    --hash=sha256:abc \\
    --hash=sha256:def
baz @ https://user:pw@example.org/baz.zip
-e git+https://user:pw@example.org/qux.git@v1#egg=qux
./local/dist.whl

any
"""
    assert read("requirements-dev.txt", text) == [
        ("requests", "<3,>=2.31"),
        ("zope-interface", "==6.0"),
        ("foo", '[a,b]~=1.4.2; python_version < "3.12"'),
        ("bar", "==1.0"),
        ("baz", "@ https://example.org/baz.zip"),
        ("git+https://example.org/qux.git@v1#egg=qux", ""),
        ("./local/dist.whl", ""),
        ("any", ""),
    ]


@pytest.mark.parametrize(
    ("wish", "number"),
    [
        ("a>=1.2,<3", (1, 2)),
        ("a<3,>=1.2", (1, 2)),
        ("a==1.2.*", (1, 2)),
        ("a~=1.4.2", (1, 4, 2)),
        ("a===1.0", (1, 0)),
        ("a>1", (1,)),
        ("a>=1,>=2", (2,)),
        ("a<3", ()),
        ("a!=1.5", ()),
        ("a==2.0rc1", (2, 0)),
        ("a==2.0.post1", (2, 0)),
        ("a", ()),
    ],
)
def test_the_lowest_version_that_a_range_lets_in(wish: str, number: tuple[int, ...]) -> None:
    assert needs("requirements.txt", wish) == (Need("a", wish_of(wish), number),)


def wish_of(text: str) -> str:
    return str(SpecifierSet(text[1:]))


@given(st.lists(st.integers(0, 99_999), min_size=1, max_size=5), st.sampled_from(["==", ">=", "~=", ">"]))
def test_the_number_is_that_of_packaging(parts: list[int], operator: str) -> None:
    version = ".".join(map(str, parts if len(parts) > 1 else [*parts, 0]))
    (need,) = needs("requirements.txt", f"a{operator}{version}")
    assert need.number == Version(version).release


@pytest.mark.parametrize("line", ["a b c", "a >= ", "=1.0", "a[", "a; python", "a" * 3_000, "a; " + "(" * 1_500])
def test_a_line_that_is_no_requirement_is_told_with_its_number(line: str) -> None:
    with pytest.raises(Unreadable, match=r"^line 2: "):
        needs("requirements.txt", f"ok\n{line}\n")


def test_what_cannot_be_read_does_not_show_a_password() -> None:
    with pytest.raises(Unreadable) as caught:
        needs("requirements.txt", "a @@ https://user:hunter2@example.org/x")
    assert "hunter2" not in str(caught.value)


# pyproject.toml


def test_a_project_asks_for_what_is_installed_and_not_for_groups() -> None:
    text = """
[build-system]
requires = ["setuptools>=70"]
[project]
requires-python = ">=3.11"
dependencies = ["requests>=2", "rich"]
[project.optional-dependencies]
docs = ["sphinx>=7"]
[dependency-groups]
dev = ["pytest>=8"]
"""
    assert needs("sub/pyproject.toml", text) == (
        Need("python", ">=3.11", (3, 11), "language"),
        Need("requests", ">=2", (2,)),
        Need("rich", ""),
        Need("sphinx", ">=7", (7,), place="extra docs"),
    )


def test_poetry_has_a_table_of_its_own() -> None:
    text = """
[tool.poetry.dependencies]
python = "^3.11"
Foo_Bar = "^1.2"
b = {version = "~2.0", extras = ["x"], markers = "sys_platform == 'linux'"}
c = {git = "https://user:pw@example.org/c.git", tag = "v3"}
d = [{version = "<2", python = "<3.12"}, {version = ">=2,<4", python = ">=3.12"}]
e = "*"
[tool.poetry.group.dev.dependencies]
pytest = "^8"
"""
    assert needs("pyproject.toml", text) == (
        Need("python", "^3.11", (3, 11), "language"),
        Need("foo-bar", "^1.2", (1, 2)),
        Need("b", "~2.0 markers=sys_platform == 'linux'", (2, 0)),
        Need("c", "git=https://example.org/c.git tag=v3", ()),
        Need("d", "<2 python=<3.12", ()),
        Need("d", ">=2,<4 python=>=3.12", (2,)),
        Need("e", "*", ()),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[project", "no TOML"),
        ("project = 1", "project is no table"),
        ("[project]\ndependencies = 'a'", "project.dependencies is no list"),
        ("[project]\ndependencies = [1]", "project.dependencies holds something that is no text"),
        ("[project]\ndependencies = ['a b']", "no requirement"),
        ("[project]\nrequires-python = 3", "project.requires-python"),
        ("[project.optional-dependencies]\nx = 1", "is no list"),
        ("[tool.poetry.dependencies]\na = 1", "tool.poetry.dependencies.a"),
        ("[tool.poetry]\ndependencies = []", "dependencies is no table"),
        ("a = " + "[" * 100_000, "no TOML"),
        ("a = " + "9" * 100_000, "no TOML"),
        (".".join(["a"] * 100_000) + " = 1", "too many parts"),
        (" . ".join(['"a"'] * 100_000) + " = 1", "too many parts"),
        ("x = {" + ".".join(["a"] * 100_000) + " = 1}", "too many parts"),
    ],
)
def test_a_project_file_that_is_none_is_told(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        needs("pyproject.toml", text)


# go.mod


def test_a_go_module_asks_by_lines_and_by_blocks() -> None:
    text = """// Deprecated: no
module example.com/m/v3 // here

go 1.22.1
toolchain go1.22.3
require github.com/a/b v1.2.3
require(
\tgithub.com/c/d/v2 v2.0.0-rc.1 // indirect
\tgopkg.in/yaml.v3 v3.0.1
\t"github.com/e/f" v4.0.0+incompatible // a comment
)
exclude github.com/x/y v1.0.0
retract [v1.0.0, v1.9.9]
tool example.com/cmd
replace (
\tk8s.io/api => github.com/k3s-io/api v1.33.1-k3s1
\tk8s.io/b v1.0.0 => ../b
)
"""
    assert needs("a/go.mod", text) == (
        Need("go", "1.22.1", (1, 22, 1), "language"),
        Need("github.com/a/b", "v1.2.3", (1, 2, 3)),
        Need("github.com/c/d", "v2.0.0-rc.1", (2, 0, 0), "indirect"),
        Need("gopkg.in/yaml", "v3.0.1", (3, 0, 1)),
        Need("github.com/e/f", "v4.0.0+incompatible", (4, 0, 0)),
        Need("k8s.io/api", "=> github.com/k3s-io/api v1.33.1-k3s1", (1, 33, 1), place="replaced"),
        Need("k8s.io/b", "=> ../b", (), place="replaced"),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("module m\nrequire a", "line 2"),
        ("require (\na v1 v2\n)", "line 2"),
        ("replace a v1 b v2", "line 1"),
        ("replace => b", "line 1"),
        ("replace a =>", "line 1"),
        ("go", "line 1"),
        ("<<<<<<< ours", 'line 1: "<<<<<<<" is no directive'),
        ("require (\na v1", "brackets of require"),
    ],
)
def test_a_module_file_that_is_none_is_told(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        needs("go.mod", text)


# Dockerfile


def test_images_are_those_that_are_built_on() -> None:
    text = """# syntax=docker/dockerfile:1
ARG GO=1.22 REGISTRY="registry.example.org:5000"
ARG BASE=${REGISTRY}/base
FROM --platform=$BUILDPLATFORM golang:${GO}-alpine AS Build
ARG GO=9.9
RUN <<EOF cat \\
 && true
FROM hidden:1
EOF
COPY --from=ghcr.io/tool/uv:0.5.1 /uv /bin/
FROM build AS again
# FROM commented:1
FROM \\
  # in between

  $BASE:15.6@sha256:0123
COPY --from=build /a /b
COPY --from=0 /a /b
from docker.io/library/debian
FROM ${NONE:-alpine:3.20} as x
FROM ${GO:+busybox}:1
FROM ${UNKNOWN}:1
FROM scratch
"""
    assert read("sub/Dockerfile", text) == [
        ("golang", "1.22-alpine"),
        ("ghcr.io/tool/uv", "0.5.1"),
        ("registry.example.org:5000/base", "15.6@sha256:0123"),
        ("debian", "latest"),
        ("alpine", "3.20"),
        ("busybox", "1"),
        ("${UNKNOWN}", "1"),
    ]
    assert {one.role for one in needs("Dockerfile", text)} == {"image"}


def test_another_escape_is_named_at_the_top() -> None:
    assert read("Dockerfile", "# escape=`\nFROM `\n a:1\n") == [("a", "1")]


@pytest.mark.parametrize("path", ["Dockerfile", "x/Dockerfile.dev", "deploy/app.Dockerfile", "Containerfile"])
def test_a_dockerfile_has_many_names(path: str) -> None:
    assert read(path, "FROM a:1") == [("a", "1")]


@pytest.mark.parametrize("text", ["", "RUN x", "FROM", "FROM a b", "FROM a AS", "FROM --platform=x", "FROM a as b c"])
def test_a_dockerfile_that_is_none_is_told(text: str) -> None:
    with pytest.raises(Unreadable, match="FROM"):
        needs("Dockerfile", text)


def test_names_that_use_names_twice_do_not_fill_the_memory() -> None:
    lines = ["ARG A0=xxxxxxxxxx", *(f"ARG A{n + 1}=$A{n}$A{n}${{A{n}:-y}}" for n in range(60)), "FROM $A60"]
    ((name, _),) = read("Dockerfile", "\n".join(lines))
    assert len(name) <= 200


# All of them.


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("v1.2.3", (1, 2, 3)),
        ("1.2-slim", (1, 2)),
        ("15", (15,)),
        ("3.13rc1", (3, 13)),
        ("1.0a1", (1, 0)),
        ("1.2.*", (1, 2)),
        ("22.04_x", (22, 4)),
        ("bookworm", ()),
        ("latest", ()),
        ("", ()),
        ("3d2f1a", ()),
        ("9a51b2c", ()),
        ("1234567890", ()),
        ("1!2.0", ()),
        ("x1", ()),
    ],
)
def test_a_version_is_the_numbers_that_it_begins_with(text: str, number: tuple[int, ...]) -> None:
    assert number_in(text) == number


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Dockerfile", "FROM :1"),
        ("Dockerfile", "FROM @sha256:1"),
        ("go.mod", 'require "" v1'),
        ("pyproject.toml", "[tool.poetry.dependencies]\n'' = '1'"),
        ("requirements.txt", "-e \u200b"),
    ],
)
def test_what_has_no_name_is_told(path: str, text: str) -> None:
    with pytest.raises(Unreadable, match="has no name"):
        needs(path, text)


def test_what_cannot_be_read_is_a_value_with_its_reason() -> None:
    assert asked("go.mod", "go 1.23") == Asked((Need("go", "1.23", (1, 23), "language"),))
    assert asked("go.mod", "say x") == Asked(unreadable='line 1: "say" is no directive of go.mod')


def test_a_file_of_another_name_or_without_end_is_told() -> None:
    with pytest.raises(Unreadable, match="by its name"):
        needs("package.json", "{}")
    with pytest.raises(Unreadable, match="1,000,000 characters"):
        needs("go.mod", "\n" * 1_000_001)


WORDS = [
    *"aA1.=<>~!@#$(){}[]\"'`,;:/\\-+ \t\n\r\0\x1b\u2028\u202e\ud800",
    *("FROM ", "ARG a=", "COPY --from=", "require ", "=>", "[project]\n", "dependencies", "tool.poetry", "<<E", "-e "),
]
HOSTILE = st.lists(st.sampled_from(WORDS), max_size=30).map("".join) | st.text()


@pytest.mark.parametrize("path", PATHS)
@given(text=HOSTILE)
def test_any_text_is_read_or_unreadable(path: str, text: str) -> None:
    with suppress(Unreadable):
        for one in needs(path, text):
            assert 0 < len(one.name) <= 200
            assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u202e\ud800]", one.name)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", lambda n: "a==1\n" * n),
        ("requirements.txt", lambda n: " " * n + "x y"),
        ("requirements.txt", lambda n: "#" * n),
        ("requirements.txt", lambda n: "-e " + "?token" * n),
        ("requirements.txt", lambda n: "\\\n" * n),
        ("requirements.txt", lambda n: "./" + "&" * n),
        ("pyproject.toml", lambda n: "[a]\n" + "".join(f"k{i} = 1\n" for i in range(n // 4))),
        ("pyproject.toml", lambda n: ("a.b.c.d.e.f.g.h.i.j.k.l.m.n%d = 1\n" * (n // 8)) % tuple(range(n // 8))),
        ("pyproject.toml", lambda n: "x = '" + "a" * n + "'"),
        ("pyproject.toml", lambda n: "x = '" + '"' * n + "'"),
        ("pyproject.toml", lambda n: "#" + "a." * 14 + "-" * n),
        ("go.mod", lambda n: "require a v1\n" * n),
        ("go.mod", lambda n: "require a " + "v" * n),
        ("go.mod", lambda n: "require " + "/v1" * n + " v1"),
        ("go.mod", lambda n: "(" * n),
        ("Dockerfile", lambda n: "FROM a:1\n" * n),
        ("Dockerfile", lambda n: "FROM " + "${" * n),
        (
            "Dockerfile",
            lambda n: "ARG a=" + "x" * 500 + "\n" + "ARG b=" + "$a" * 200 + "\n" + "ARG c=$b\n" * n + "FROM a",
        ),
        ("Dockerfile", lambda n: "#" + "a" * n + "\nFROM a"),
        ("Dockerfile", lambda n: "# a=b\n" * n + "# escape"),
        ("Dockerfile", lambda n: "RUN " + "<<A " * n + "\n" + "FROM a\n" * n),
        ("Dockerfile", lambda n: "FROM \\\n" * n),
        ("Dockerfile", lambda n: "FROM a:" + "1." * n),
    ],
)
def test_the_time_is_in_proportion_to_the_text(path: str, text: Callable[[int], str]) -> None:
    def taken(length: int) -> float:
        content = text(length)
        begun = process_time()
        with suppress(Unreadable):
            needs(path, content)
        return process_time() - begun

    taken(100)
    assert taken(16_000) < 64 * max(taken(1_000), 0.002)
