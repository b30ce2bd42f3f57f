"""release.toml is read strictly, and what is wrong with it is told all at once and in plain words."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.config import LIMIT, at_commit, included, load, parse
from release.core.config import Config, Gate, VersionFile
from release.core.finding import Conflict
from release.errors import ConfigError, ConflictError, Refused, ReleaseError, Uncertain, Unseen, UsageError

FULL = """
[project]
name = "rke2"
since = "v1.30.0+rke2r1"

[release]
start = "tag"

[version]
scheme = "semver+revision"
revision = "rke2r"
candidates = ["rc"]
source = "file"
final_from_candidate = true

[[version.file]]
path = "scripts/version.sh"
pattern = 'v(?P<value>[0-9.]+)'
value = "{core}"

[[gate]]
name = "tests"
run = ["nox"]

[[downstream]]
name = "rke2-upgrade"
repository = "../rke2-upgrade.git"
after = []
lines = ["1.33"]
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "release.toml")
    return caught.value.problems


def message(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, "release.toml")
    return str(caught.value)


def test_every_table_arrives_as_a_value() -> None:
    config = parse(FULL, "release.toml")
    assert config.project.since == "v1.30.0+rke2r1"
    assert config.version.candidates == ("rc",)
    assert config.version.file == (VersionFile("scripts/version.sh", "v(?P<value>[0-9.]+)", "{core}"),)
    assert config.gate == (Gate("tests", ("nox",)),)
    assert config.downstream[0].lines == ("1.33",)


def test_an_empty_file_is_the_default_configuration() -> None:
    assert parse("", "release.toml") == Config()


LONG = "a." * 20_000 + "a"


@pytest.mark.parametrize(
    "text", [f"\n{LONG} = 1", f"\n[{LONG}]", f"\nx = {{ {LONG} = 1 }}"], ids=["key", "table", "inline"]
)
def test_a_key_of_more_parts_than_anybody_writes_is_refused_and_not_read_for_minutes(text: str) -> None:
    for read in (parse, included):
        with pytest.raises(ConfigError, match=r"release\.toml, line 2, column [0-9]+: a key has more than 32 parts"):
            read(text, "release.toml")


def test_what_is_no_key_may_have_as_many_dots_as_it_likes() -> None:
    assert parse(f"# {LONG}\n[project]\nname = 'a' # {LONG}\n", "release.toml").project.name == "a"


def test_windows_line_ends_are_read() -> None:
    assert parse(FULL.replace("\n", "\r\n"), "release.toml") == parse(FULL, "release.toml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[verson]\nx = 1", 'verson is not a known key; did you mean "version"?'),
        ('[version]\nTag = "v"', 'version.Tag is not a known key; did you mean "tag"?'),
        ("[commit]\nzzz = 1", "commit.zzz is not a known key; known here: mode"),
        (
            '[[downstream]]\nname = "a"\nrepository = "b"\n[[downstream]]\nname = "c"\nrepository = "d"\nbrnch = "e"',
            'downstream[1].brnch is not a known key; did you mean "branch"?',
        ),
        (
            "[[version.file]]\npath = 'a'\npattern = 'b'\nvalu = 'c'",
            'version.file[0].valu is not a known key; did you mean "value"?',
        ),
        ("[version]\n'a b' = 1", "version.'a b' is not a known key; known here: scheme, tag, revision, candidates, "),
    ],
)
def test_an_unknown_key_is_named_in_full_with_the_nearest_known_one(text: str, problem: str) -> None:
    (found,) = problems(text)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("version.tag = 3", "version.tag must be text, not the number 3"),
        ("version.tag = 1.5", "version.tag must be text, not the number 1.5"),
        ("version.tag = 0x" + "f" * 5000, "version.tag must be text, not a number that is far too long"),
        ("version.tag = true", "version.tag must be text, not true"),
        ("version.tag = 2026-01-01", "version.tag must be text, not a date or time"),
        ("downstream.0.required = 1", "downstream must be a list of tables, not one table; write it as [[downstream]]"),
        ("version.final_from_candidate = 'y'", "version.final_from_candidate must be true or false, not the text 'y'"),
        ("version.final_from_candidate = 1", "version.final_from_candidate must be true or false, not the number 1"),
        ("version.candidates = 'rc'", "version.candidates must be a list of texts, not the text 'rc'"),
        ("version.candidates = ['rc', 3]", "version.candidates[1] must be text, not the number 3"),
        (
            "version.scheme = 'semvr'",
            """version.scheme must be "semver", "semver+revision" or "pep440", not the text 'semvr'; did you mean "semver"?""",
        ),
        ("commit = 'push'", "commit must be a table, not the text 'push'; write it as [commit]"),
        ("[[project]]\nname = 'a'", "project must be a table, not a list; write it as [project]"),
        ("[gate]\nname = 'a'", "gate must be a list of tables, not one table; write it as [[gate]]"),
        ("gate = ['a']", "gate[0] must be a table, not the text 'a'"),
        ("[[publish]]\nname = 'a'\nexists = ['b']", "publish[0].run is missing; add it: it must be a list of texts"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(text: str, problem: str) -> None:
    assert problems(text) == (problem,)
    assert message(text) == f"release.toml: {problem}"


def test_all_problems_are_told_at_once() -> None:
    text = "[verson]\n[version]\ntag = 3\ncandidats = []\n[[publish]]\nname = 1\nexists = ['b']\n"
    found = problems(text)
    assert [problem.split(" ")[0] for problem in found] == [
        "verson",
        "version.tag",
        "version.candidats",
        "publish[0].name",
        "publish[0].run",
    ]
    assert message(text).startswith("release.toml has 5 problems:\n    verson is not")
    assert all(problem in message(text) for problem in found)


def test_nothing_of_the_file_reaches_a_terminal_raw() -> None:
    text = '[version]\n"\\u001b[31m" = 1\ntag = ["\\u001b[31m\\u2028"]\nscheme = "\\u001b[31m\\u2028"\n'
    assert "\x1b" not in message(text)
    assert "\u2028" not in message(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[version]\ntag = \n", "release.toml, line 2, column 7: "),
        ("[version]\ntag = 'a'\ntag = 'b'\n", "release.toml, line 3, column 10: "),
        ("[version]\ntag = '", "release.toml, line 2"),
        ("a = \x00", "release.toml, line 1, column 5: "),
        ("a = " + "9" * 5000, "release.toml, line 1: "),
    ],
)
def test_a_syntax_error_names_the_file_and_the_line(text: str, place: str) -> None:
    assert message(text).startswith(place)


def test_what_is_nested_too_deep_is_refused() -> None:
    assert "nested" in message("a = " + "[" * 20_000)


def test_a_byte_order_mark_is_refused_by_name() -> None:
    assert "byte order mark" in message("\ufeff[version]")


@given(st.text(max_size=60) | st.text("[]{}='\"\\\n a.1", max_size=60))
def test_no_text_at_all_ends_in_another_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(parse(text, "release.toml"), Config)


def test_a_file_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(FULL, encoding="utf-8")
    assert load(tmp_path / "release.toml") == parse(FULL, "release.toml")


def test_a_missing_file_is_told_with_an_example_that_is_valid(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "release.toml")
    text = str(caught.value)
    assert text.startswith(f"there is no release.toml in {tmp_path}; run from the checkout's root, or write one:\n")
    example = text.split("write one:\n")[1]
    assert len(example.splitlines()) == 3
    assert parse(example, "example").project.name == tmp_path.name


def test_a_file_in_place_of_its_folder_is_told_as_missing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"there is no release\.toml"):
        load(tmp_path / "file" / "release.toml")


def test_a_directory_is_not_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a directory"):
        load(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "release.toml")
    with pytest.raises(ConfigError, match="not a regular file"):
        load(tmp_path / "release.toml")


def test_bytes_that_are_not_utf8_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "release.toml"
    path.write_bytes(b"[project]\nname = '\xff'\n")
    with pytest.raises(ConfigError, match="line 2: this is not UTF-8"):
        load(path)


def test_a_byte_order_mark_in_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "release.toml"
    path.write_bytes(b"\xef\xbb\xbf[project]\n")
    with pytest.raises(ConfigError, match="byte order mark"):
        load(path)


def test_a_huge_file_is_refused_and_one_of_a_megabyte_is_not(tmp_path: Path) -> None:
    path = tmp_path / "release.toml"
    path.write_bytes(b"#" * LIMIT)
    assert load(path) == Config()
    path.write_bytes(b"#" * (LIMIT + 1))
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        load(path)


def test_how_is_read_at_the_commit_and_where_to_from_the_working_tree() -> None:
    working = parse("[project]\nname='new'\n[release]\nstart='tag'\n[version]\ntag='new-{version}'\n" + DOWNSTREAM, "a")
    committed = "project.name='old'\nversion.tag='old-{version}'\ncommit.mode='push'\n[[gate]]\nname='g'\nrun=['x']\n"
    both = at_commit(working, committed, "release.toml at 1a2b3c4")
    assert (both.project.name, both.release.start, len(both.downstream)) == ("new", "tag", 1)
    assert (both.version.tag, both.commit.mode, both.gate[0].name) == ("old-{version}", "push", "g")


DOWNSTREAM = "[[downstream]]\nname='a'\nrepository='b'\n"


def test_a_commit_without_the_file_is_released_by_the_working_tree() -> None:
    working = parse(FULL, "a")
    assert at_commit(working, None, "b") is working


def test_a_table_that_the_commit_does_not_have_is_the_default_and_not_the_working_trees() -> None:
    assert at_commit(parse(FULL, "a"), "", "b").version == Config().version


def test_of_the_commits_file_only_what_counts_is_judged() -> None:
    old = "[project]\nancient = 1\n[version]\ntag = 'x{version}'\n"
    assert at_commit(Config(), old, "b").version.tag == "x{version}"
    with pytest.raises(ConfigError, match=r'^release\.toml at 1a2b: verson is not a known key; did you mean "version"'):
        at_commit(Config(), "[verson]\n", "release.toml at 1a2b")


def test_an_error_says_what_is_so_then_what_to_do() -> None:
    assert str(ReleaseError("it is so", "do that")) == "it is so; do that"
    assert str(ReleaseError("it is so")) == "it is so"


def test_a_conflict_error_shows_all_conflicts() -> None:
    error = ConflictError((Conflict("a", "one is so", "do"), Conflict("b", "two is so", "")))
    assert str(error) == "one is so; do\ntwo is so"


def test_each_kind_of_error_has_its_exit_code() -> None:
    kinds = (ReleaseError, Refused, Uncertain, Unseen, ConfigError, UsageError, ConflictError)
    assert [kind.exit_code for kind in kinds] == [1, 1, 1, 1, 2, 2, 3]


def test_errors_are_cheap_to_import() -> None:
    code = "import sys, release.errors; sys.exit('msgspec' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
