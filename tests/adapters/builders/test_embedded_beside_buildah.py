"""The embedded builder beside buildah: the same Dockerfiles give the same files, owners, modes and configurations."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release.adapters.builders.buildah import Buildah
from release.adapters.builders.builder import Builder, Recipe
from release.adapters.builders.embedded import Embedded
from release.core.model import ImagePart
from tests.adapters.builders.flat import configuration, files

EPOCH = 1_700_000_000
PARTS = (ImagePart("linux/amd64", {"GIVEN": "from outside"}), ImagePart("linux/arm64", {"GIVEN": "from outside"}))

CASES = {
    "variables": r"""
# escape=\
ARG TOP=top
ARG OTHER=${TOP}-other
FROM scratch
ARG TOP
ARG OTHER
ARG GIVEN=default
ARG PLAIN
ARG TARGETARCH
ARG TARGETOS
ARG MINE=mine
ENV A=1 B="two words" C='single $A' D=three\ words
ENV OLD the  whole rest, with "quotes" and $A
ENV BEFORE=$A A=2 AFTER=$A
ENV E=${A}x F=${NONE:-default} G=${A:-default} H=${NONE:+set} I="${A:+set $B}" J=\$A K=${NONE:-${A:-deep}}
ENV ARGS=$TOP,$OTHER,$GIVEN,$PLAIN,$MINE,$TARGETOS/$TARGETARCH
ENV A=last \
    # a comment in between

    L=continued
LABEL one=1 "two words"="a b" three=$A four="say \"it\""
COPY one.txt /
""",
    "commands in the form of lists": """
FROM scratch
COPY one.txt /$A/
WORKDIR /work/${B:-b}
USER 7:8
ENTRYPOINT ["/one", "$A", "with \\"quotes\\""]
CMD ["x"]
EXPOSE 80 443/tcp 53/udp
""",
    "commands in the form of a shell": """
FROM scratch
copy one.txt /
Cmd   echo  "$A"   b
ENTRYPOINT exec   /one $A
""",
    "a command before its entrypoint": 'FROM scratch\nCOPY one.txt /\nCMD ["a"]\nENTRYPOINT ["b"]\n',
    "an empty entrypoint": "FROM scratch\nCOPY one.txt /\nENTRYPOINT []\n",
    "where files go": """
FROM scratch
COPY one.txt two.txt run.sh /many/
COPY one.txt /renamed
COPY one.txt /deep/er/renamed
COPY one.txt /many
COPY two.txt /many/one.txt
COPY ["with space.txt", "/has space/"]
COPY o*.txt t?o.txt [r]un.sh /wild/
COPY on*.txt /single
COPY tree /tree
COPY tree/ /tree2/
COPY tree/sub /many/
COPY tree two.txt /both/
COPY tr*/s* /starred/
COPY ./tree/../one.txt /cleaned
COPY /two.txt /rooted
""",
    "links": """
FROM scratch
COPY tree /tree
COPY to-one /link
COPY to-tree /linked
COPY tree/to-file tree/sub/up /links/
""",
    "owners and modes": """
FROM scratch
ARG WHO=12
COPY --chown=7:8 one.txt /a/b/one
COPY --chown=9 --chmod=640 tree /a/tree
COPY --chown=$WHO:13 two.txt /c/
COPY --chmod=0755 one.txt /mode
COPY --chown=0:0 one.txt /a/b/two
ADD --chown=1:2 tree/sub /d/
ADD one.txt run.sh /e/
""",
    "working folders": """
FROM scratch
WORKDIR /w
COPY one.txt .
COPY one.txt ./here
WORKDIR x/y
COPY two.txt one.txt ./
USER 5:6
WORKDIR /w/x
WORKDIR ../z
COPY --chown=3:4 one.txt sub/
WORKDIR /
COPY two.txt relative
""",
    "an ignored context": "FROM scratch\nCOPY . /all/\nCOPY tree /tree/\n",
    "the root": "FROM scratch\nCOPY tree /\nCOPY one.txt /\nLABEL a=b\n",
}
IGNORED = {
    "an ignored context": """
# not these
*.txt
!two.txt
tree/sub
!tree/sub/deep/kept
**/*.log
/run.sh
logs/**
!logs/b/kept.log
[a-c]nother?
Dockerfile
.dockerignore
"""
}


@pytest.fixture(scope="module")
def buildah() -> Iterator[Buildah]:
    made = Buildah(os.environ)
    if why := made.absent():
        pytest.skip(f"{why}; scripts/images installs it")
    yield made
    made.stop()


@pytest.mark.parametrize("name", CASES)
def test_both_make_the_same_image(name: str, buildah: Buildah, tmp_path: Path) -> None:
    context = laid(tmp_path / "context", CASES[name].lstrip(), IGNORED.get(name, ""))
    same(context, tmp_path, buildah)


def same(context: Path, folder: Path, buildah: Buildah) -> None:
    """Build with both, and compare what they made."""
    recipe = Recipe("one:1", context / "Dockerfile", context, PARTS, EPOCH, {"org.example.given": "a b"})
    ours, theirs = (built(one, recipe, folder) for one in (Embedded(folder / "cache"), buildah))
    for part in PARTS:
        assert files(ours, part.platform) == files(theirs, part.platform)
        assert said(configuration(ours, part.platform)) == said(configuration(theirs, part.platform))


def built(builder: Builder, recipe: Recipe, folder: Path) -> Path:
    assert builder.lacking(recipe) == ()
    builder.build(recipe, folder / builder.name, lambda line: None)
    return folder / builder.name


def said(config: Any) -> Any:
    """What a configuration says, without buildah's name and empty things."""
    inner = {key: value for key, value in config["config"].items() if value and (key, value) != ("WorkingDir", "/")}
    inner["Env"] = sorted(inner["Env"])  # Docker sets a variable again where it stands, buildah puts it last
    inner["Labels"] = {key: value for key, value in inner["Labels"].items() if key != "io.buildah.version"}
    return {**{key: config.get(key) for key in ("architecture", "os", "variant", "created")}, "config": inner}


def laid(context: Path, dockerfile: str, ignored: str = "") -> Path:
    """A context with a little of everything; its modes are those that git gives."""
    (context / "tree/sub/deep").mkdir(parents=True)
    (context / "logs/b").mkdir(parents=True)
    for name in (
        "one.txt", "two.txt", "with space.txt", "tree/file", "tree/sub/s1", "tree/sub/deep/kept", "tree/sub/deep/gone",
        "tree/a.log", "logs/a.log", "logs/b/kept.log", "logs/b/c", "another1", "dnother1", ".hidden",
    ):  # fmt: skip
        (context / name).write_text(f"this is {name}\n")
    (context / "run.sh").write_text("#!/bin/sh\n")
    for path in context.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.name == "run.sh" else 0o644)
    for name, target in {
        "to-one": "one.txt",
        "to-tree": "tree",
        "tree/to-file": "file",
        "tree/sub/up": "../file",
    }.items():
        (context / name).symlink_to(target)
    (context / "Dockerfile").write_text(dockerfile)
    if ignored:
        (context / ".dockerignore").write_text(ignored)
    return context


BASE = """
FROM scratch
COPY tree /usr/lib/
COPY one.txt /usr/lib/sub/s1
COPY --chown=21:22 two.txt /srv/app/two.txt
COPY links/ /
ENV BASE=yes PATH=/opt/bin
LABEL base=base both=base
WORKDIR /srv
USER 4:4
CMD ["of the base"]
"""
ON_A_BASE = """
ARG NAME=1
FROM oci:bases/layout:{name}
ENV ON=${BASE} PATH=$PATH:/more
LABEL both=new
COPY one.txt app/
COPY two.txt /lib/here
COPY tree/sub /lib/sub/
WORKDIR app
COPY one.txt .
ENTRYPOINT ["/new"]
"""


def test_both_build_on_an_image_in_a_layout(buildah: Buildah, tmp_path: Path) -> None:
    below = laid(tmp_path / "below", BASE)
    (below / "links").mkdir()
    (below / "links/lib").symlink_to("usr/lib")
    Embedded(tmp_path / "cache").build(
        Recipe("base:1", below / "Dockerfile", below, PARTS, EPOCH), tmp_path / "base", lambda line: None
    )
    context = laid(tmp_path / "context", ON_A_BASE.lstrip().replace("{name}", "base:${NAME}"))
    (context / "bases").mkdir()
    (tmp_path / "base").rename(context / "bases/layout")
    same(context, tmp_path, buildah)


NAMES = ["one.txt", "two.txt", "run.sh", "tree", "tree/sub", "tree/sub/deep", "tree/a.log", "logs", "t*", "o?e.txt"]
SOURCES = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(" ".join)
TARGETS = st.sampled_from(["/", "/a/", "/a/b/", "b/", "./", "/c/tree/", "../d/"])
LINES = st.one_of(
    st.builds(
        "COPY {}{} {}".format,
        st.sampled_from(["", "--chown=3:4 ", "--chmod=600 ", "--chown=5 --chmod=755 "]), SOURCES, TARGETS,
    ),
    st.builds("WORKDIR {}".format, st.sampled_from(["/w", "x", "../y", "/a/b", "$V"])),
    st.builds("ENV V={}".format, st.sampled_from(["a", "/abs/path", '"q q"', "${V:-z}", "$V/more", "'$V'"])),
    st.builds("USER {}".format, st.sampled_from(["1:2", "0:0", "9:0"])),
)  # fmt: skip


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(LINES, min_size=3, max_size=9))
def test_both_make_the_same_of_lines_in_any_order(buildah: Buildah, lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        text = "\n".join(["FROM scratch", "COPY one.txt /", *lines])
        same(laid(Path(folder) / "context", text), Path(folder), buildah)
