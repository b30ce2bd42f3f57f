"""The baseline goes into release.toml as a person would write it, and nothing else of the file is touched."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.baseline import counted, difference, unknown, with_baseline
from release.core.config import Config
from release.core.finding import Conflict
from release.core.model import Tag

TAG = "v1.30.0"
OTHER = '# why\n[version]  # a comment\nscheme = "semver"\n'


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("", '[project]\nsince = "v1.30.0"\n'),
        (OTHER, f'{OTHER}\n[project]\nsince = "v1.30.0"\n'),
        ('x = 1 # no end', 'x = 1 # no end\n\n[project]\nsince = "v1.30.0"\n'),
        ("[project]", '[project]\nsince = "v1.30.0"\n'),
        (f'[ project ] # us\nname = "a"  # kept\n{OTHER}', f'[ project ] # us\nsince = "v1.30.0"\nname = "a"  # kept\n{OTHER}'),
        ('project.name = "a"\n\n[version]\n', 'project.since = "v1.30.0"\nproject.name = "a"\n\n[version]\n'),
        ('[project]\nsince   =  "v1.29.0" # old\n', '[project]\nsince   =  "v1.30.0" # old\n'),
        ('project = { name = "a", since = "" }\n', 'project = { name = "a", since = "v1.30.0" }\n'),
        ('[project]\r\nname = "a"\r\n', '[project]\r\nsince = "v1.30.0"\r\nname = "a"\r\n'),
        ('a = """\n[project]\n"""\n[project]\n', 'a = """\n[project]\n"""\n[project]\nsince = "v1.30.0"\n'),
        ('[a]\nproject.b = 1\n[project]\n', '[a]\nproject.b = 1\n[project]\nsince = "v1.30.0"\n'),
        ('[project.requires]\na = "1"\n', '[project.requires]\na = "1"\n\n[project]\nsince = "v1.30.0"\n'),
    ],
)  # fmt: skip
def test_one_line_says_it_and_the_rest_stays(text: str, changed: str) -> None:
    assert with_baseline(text, TAG) == changed
    assert with_baseline(changed, TAG) == changed, "again does nothing"


def test_a_file_that_leaves_no_place_for_it_is_left_alone() -> None:
    found = with_baseline('project = { name = "a" }\n', TAG)
    assert isinstance(found, Conflict)
    assert (found.rule, found.remedy) == ("baseline-unwritable", 'write it by hand: since = "v1.30.0"')


KEYS = st.sampled_from(["name", "repository", "since", "forge"])
VALUES = st.text(st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters="'"), max_size=12)
LINES = st.dictionaries(KEYS, VALUES)
AROUND = st.lists(st.sampled_from(["# [project]\n", "\n", "[a]\n[b]\n", "[c.project]\nx = 1\n"]), unique=True)


@given(AROUND, LINES, AROUND, st.sampled_from(["\n", "\r\n"]))
def test_whatever_the_file_says_it_says_the_same_and_the_baseline(
    before: list[str], project: dict[str, str], after: list[str], end: str
) -> None:
    tables = [one for one in after if one not in before]
    lines = "".join(f"{key} = '{value}'\n" for key, value in project.items())
    text = f"{''.join(before)}[project]\n{lines}{''.join(tables)}".replace("\n", end)
    found = with_baseline(text, TAG)
    assert isinstance(found, str)
    data = tomllib.loads(text)
    assert tomllib.loads(found) == {**data, "project": {**data["project"], "since": TAG}}
    removed = [line for line in difference(text, found)[2:] if line.startswith("-")]
    assert len(removed) == ("since" in project and project["since"] != TAG)


def test_releases_of_older_commits_are_counted_as_history() -> None:
    days = {
        "v1.29.0": "2030-01-01",
        "v1.30.0": "2030-02-01",
        "v1.29.1": "2030-02-01",
        "v1.31.0": "2030-03-01",
        "odd": "2030-01-01",
    }
    tags = [Tag(name, "c" * 40, f"{day}T00:00:00Z") for name, day in days.items()]
    assert counted(Config(), tags, TAG) == (1, 3)


def test_a_baseline_that_is_no_release_names_the_nearest() -> None:
    assert unknown("v1.3.0", ["v1.30.0"]).remedy == "did you mean v1.30.0?"
    assert "release.list" in unknown("v9", []).remedy
