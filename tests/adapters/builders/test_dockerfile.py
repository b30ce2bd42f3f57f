"""Dockerfiles as the embedded builder reads them: what each line means, and which one it refuses, for whom."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.adapters.builders.builder import Recipe
from release.adapters.builders.dockerfile import Bad, expanded, pairs, parse, words
from release.adapters.builders.embedded import BEYOND, UNBUILDABLE, Embedded
from release.adapters.builders.ignoring import Ignore
from release.core.model import ImagePart
from release.errors import Refused

EPOCH = 1_700_000_000


def recipe(folder: Path, dockerfile: str | bytes) -> Recipe:
    (folder / "folder").mkdir()
    for name in ("a", "b", "folder/c"):
        (folder / name).write_text(name)
    (folder / "rootfs.tar.gz").write_bytes(gzip.compress(b"x"))
    (folder / "to-folder").symlink_to("folder")
    place = folder / "Dockerfile"
    place.write_bytes(dockerfile if isinstance(dockerfile, bytes) else dockerfile.encode())
    return Recipe("x:1", place, folder, (ImagePart("linux/amd64"), ImagePart("linux/arm64")), EPOCH)


def refused(folder: Path, dockerfile: str | bytes) -> tuple[str, str, str]:
    """The only conflict: its rule, why and remedy. The build says the same."""
    context = folder / "context"
    context.mkdir()
    wanted, builder = recipe(context, dockerfile), Embedded(folder / "cache")
    (conflict,) = builder.lacking(wanted)
    with pytest.raises(Refused) as caught:
        builder.build(wanted, folder / "out", lambda line: None)
    assert caught.value.message == conflict.why
    return conflict.rule, conflict.why, conflict.remedy


@pytest.mark.parametrize(
    ("line", "what", "who"),
    [
        ("RUN make", "is RUN", "buildx, buildah or podman"),
        ("RUN <<EOF\nmake\nEOF", "is RUN", "buildx, buildah or podman"),
        ("COPY <<EOF /a\ntext\nEOF", "is COPY with a text of its own (<<)", "buildx"),
        ("VOLUME /data", "is VOLUME", "buildx, buildah or podman"),
        ("HEALTHCHECK NONE", "is HEALTHCHECK", "buildx, buildah or podman"),
        ("SHELL [\"/bin/bash\"]", "is SHELL", "buildx, buildah or podman"),
        ("ONBUILD COPY a /", "is ONBUILD", "buildx, buildah or podman"),
        ("STOPSIGNAL 9", "is STOPSIGNAL", "buildx, buildah or podman"),
        ("FROM scratch", "is a second FROM", "buildx, buildah or podman"),
        ("COPY --from=0 /a /b", "is COPY --from", "buildx, buildah or podman"),
        ("COPY --link a /b", "is COPY --link", "buildx"),
        ("COPY --chown=app:app a /b", "is COPY --chown with a name", "buildx, buildah or podman"),
        ("COPY --chmod=u+x a /b", "is COPY --chmod=u+x, which is no octal number", "buildx"),
        ("ADD https://example.org/a.tar /b", "is ADD of an address", "buildx, buildah or podman"),
        ("ADD git@example.org:a/b.git /b", "is ADD of an address", "buildx, buildah or podman"),
        ("ADD rootfs.tar.gz /", "is ADD of the archive rootfs.tar.gz, which is unpacked there", "buildx, buildah or podman"),
        ("USER app\nWORKDIR /new", "makes /new for a user whose number is not in the Dockerfile", "buildx, buildah or podman"),
    ],
)  # fmt: skip
def test_what_it_does_not_know_is_refused_with_the_line_and_who_does(
    tmp_path: Path, line: str, what: str, who: str
) -> None:
    text = f"# a comment\nFROM scratch\nCOPY a \\\n  /a\n{line}\n"
    number = 6 if line.startswith("USER") else 5
    (tmp_path / "context").mkdir()
    (conflict,) = Embedded(tmp_path / "cache").lacking(recipe(tmp_path / "context", text))
    assert conflict.rule == BEYOND
    assert conflict.why.startswith(f"line {number} of Dockerfile {what}")
    assert f"take {who}" in conflict.remedy


def test_every_line_that_it_does_not_know_is_told(tmp_path: Path) -> None:
    found = Embedded(tmp_path / "cache").lacking(recipe(tmp_path, "FROM alpine:3\nRUN a\nCOPY nothing /\nVOLUME /b\n"))
    assert [one.why.split(",")[0] for one in found] == [
        "line 2 of Dockerfile is RUN",
        "line 4 of Dockerfile is VOLUME",
        "line 1 of Dockerfile is FROM alpine:3",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1 of Dockerfile: there is no instruction in it"),
        ("# only this\n", "line 1 of Dockerfile: there is no instruction in it"),
        ("ARG A\n", "line 1 of Dockerfile: there is no FROM in it"),
        ("COPY a /\nFROM scratch\n", "line 1 of Dockerfile: COPY comes before FROM"),
        ("FROM scratch\nFORM x\n", "line 2 of Dockerfile: FORM is no instruction"),
        ("FROM scratch\nCOPY\n", "line 2 of Dockerfile: COPY says nothing"),
        ("FROM scratch\nCOPY a\n", "line 2 of Dockerfile: COPY needs what to copy and where to"),
        ("FROM scratch\nCOPY nothing /\n", "line 2 of Dockerfile: copies nothing, which is not in the context"),
        ("FROM scratch\nCOPY no* /\n", "line 2 of Dockerfile: copies no*, which is not in the context"),
        ("FROM scratch\nCOPY ../a /\n", "line 2 of Dockerfile: COPY ../a leads out of the context"),
        ("FROM scratch\nCOPY folder/../../a /\n", "line 2 of Dockerfile: COPY folder/../../a leads out of the context"),
        ("FROM scratch\nCOPY a b /c\n", "line 2 of Dockerfile: copies 2 things, so that /c has to be a folder"),
        ("FROM scratch\nCOPY a /x\nCOPY b /x/\n", "line 3 of Dockerfile: /x is no folder in the image"),
        ("FROM scratch\nCOPY a /x\nWORKDIR /x/y\n", "line 3 of Dockerfile: /x is no folder in the image"),
        ("FROM scratch\nENV A\n", "line 2 of Dockerfile: ENV: A has no value"),
        ("FROM scratch\nENV A=1 B\n", "line 2 of Dockerfile: ENV: B is no NAME=value"),
        ("FROM scratch\nENV A='x\n", "line 2 of Dockerfile: ENV: 'x has a quote without an end"),
        ("FROM scratch\nENV A=${B\n", "line 2 of Dockerfile: ENV: ${B has no end in its braces"),
        ("FROM scratch\nENV A=${B:?x}\n", "line 2 of Dockerfile: ENV: ${B:?x} has :? in its braces"),
        ("FROM scratch\nARG A-B\n", "line 2 of Dockerfile: ARG A-B is no name"),
        ("FROM scratch\nEXPOSE http\n", "line 2 of Dockerfile: EXPOSE http is no port"),
        ("FROM scratch\nEXPOSE 70000\n", "line 2 of Dockerfile: EXPOSE 70000 is no port"),
        ("FROM scratch\nEXPOSE 90-80\n", "line 2 of Dockerfile: EXPOSE 90-80 is no port"),
        ("FROM oci:nothing\n", "line 1 of Dockerfile: FROM nothing is no folder in the context"),
        ("FROM oci:../x\n", "line 1 of Dockerfile: FROM ../x is no folder in the context"),
        ("FROM oci:/etc\n", "line 1 of Dockerfile: FROM /etc is no folder in the context"),
        ("FROM oci:folder:1\n", "line 1 of Dockerfile: FROM folder:1: there is no image for linux/amd64 in that OCI layout"),
        ("# escape=x\nFROM scratch\n", "line 1 of Dockerfile: escape is 'x'"),
        ("FROM scratch\nCOPY <<EOF /a\ntext\n", "line 2 of Dockerfile: the text that ends with EOF has no end"),
        (b"FROM scratch\nENV A=\xff\n", "line 1 of Dockerfile: it is not UTF-8"),
        ("FROM scratch\n#" + "x" * (1 << 20), "line 1 of Dockerfile: it has more than 1048576 bytes"),
        ("FROM scratch\nCOPY \x1b[31mred /\n", "line 2 of Dockerfile: copies [31mred, which is not in the context"),
    ],
)  # fmt: skip
def test_what_nobody_can_build_is_refused_with_its_line(tmp_path: Path, text: str | bytes, why: str) -> None:
    rule, said, remedy = refused(tmp_path, text)
    assert said.startswith(why)
    assert (rule, remedy) == (UNBUILDABLE, "mend it, and commit that")


@pytest.mark.parametrize("syntax", ["docker/dockerfile:1", "docker/dockerfile:1.7", "docker.io/docker/dockerfile"])
def test_the_usual_syntax_is_the_one_that_it_knows(tmp_path: Path, syntax: str) -> None:
    assert Embedded(tmp_path / "c").lacking(recipe(tmp_path, f"# syntax={syntax}\nFROM scratch\nCOPY a /\n")) == ()


def test_another_syntax_is_buildxs(tmp_path: Path) -> None:
    (conflict,) = Embedded(tmp_path / "c").lacking(recipe(tmp_path, "# syntax=x/y:2\nFROM scratch\nCOPY a /\n"))
    assert conflict.why.startswith("line 1 of Dockerfile asks for the syntax x/y:2")
    assert "take buildx," in conflict.remedy


def test_lines_are_counted_as_an_editor_does() -> None:
    text = "# c\r\nFROM scratch\r\n\r\nCOPY a \\\r\n # between\r\n\r\n b \\\r\n /\r\nUSER 1\r\n"
    found = [(one.line, one.word, one.rest) for one in parse(text).instructions]
    assert found == [(2, "FROM", "scratch"), (4, "COPY", "a  b  /"), (9, "USER", "1")]


def test_another_escape_leaves_the_backslash_alone() -> None:
    file = parse("# escape=`\nFROM scratch\nCOPY a `\n b c:\\\n")
    assert [one.rest for one in file.instructions] == ["scratch", "a  b c:\\"]
    assert expanded("`$A\\b", {}, file.escape) == "$A\\b"


def test_a_text_of_its_own_is_no_instruction() -> None:
    file = parse("FROM scratch\nRUN <<-A cat <<'B'\n\tCOPY x\n\tA\nUSER x\nB\nUSER 1\n")
    assert [(one.line, one.word, one.heredoc) for one in file.instructions] == [
        (1, "FROM", False), (2, "RUN", True), (7, "USER", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("$A${A}", "11"), ("a$", "a$"), ("$-", "$-"), ("\\$A", "$A"), ('"\\$A $A"', "$A 1"), ("'$A\\'", "$A\\"),
        ("${N:-x${A}y}", "x1y"), ("${A:-x}", "1"), ("${N:+x}", ""), ("${A:+x'}'z}", "x}z"), ("a\\ b", "a b"),
        ('"a\\b"', "a\\b"), ("$AB", ""), ("${A}B", "1B"), ("a\\", "a\\"),
    ],
)  # fmt: skip
def test_variables_and_quotes(text: str, wanted: str) -> None:
    assert expanded(text, {"A": "1"}) == wanted


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\\\"'$ \t"), min_size=1))
def test_plain_text_stands_for_itself(text: str) -> None:
    assert expanded(text, {}) == text
    assert words(f"a {text}  b") == ["a", text, "b"]


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (parse, pairs, lambda one: expanded(one, {})):
        try:
            read(text)
        except (Bad, ValueError):
            continue


@pytest.mark.parametrize(
    ("patterns", "ignored", "kept"),
    [
        ("a", ["a", "a/b"], ["b", "x/a", "ab"]),
        ("/a/", ["a", "a/b"], ["x/a"]),
        ("*/a", ["x/a", "x/a/b"], ["a", "x/y/a"]),
        ("**/a", ["a", "x/a", "x/y/a/b"], ["ab"]),
        ("a/**", ["a/b", "a/b/c"], ["a"]),
        ("*.md\n!README.md", ["x.md"], ["README.md", "x/y.md"]),
        ("*\n!a/b", ["a/c", "c"], ["a/b", "a/b/c"]),
        ("!a\na", ["a"], []),
        ("# a\n\n  b  ", ["b"], ["a", "# a"]),
        ("a?c[0-9]\n[^x]", ["abc1", "y"], ["x/c1", "abcd", "x"]),
        ("a/../b\n.", ["b"], ["a", "c"]),
        ("\\#a", ["#a"], ["a"]),
    ],
)
def test_patterns_of_what_is_no_part_of_the_context(patterns: str, ignored: list[str], kept: list[str]) -> None:
    ignore = Ignore(patterns)
    assert [path for path in (*ignored, *kept) if path in ignore] == ignored
