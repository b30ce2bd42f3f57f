"""A channel's value in a file: it alone is written, every other byte stays, and what is not there is told."""

from __future__ import annotations

import pytest

from release.core.finding import Conflict
from release.core.pointed import Spot, kind_of, spot

OLD, NEW = "v1.30.1+rke2r1", "v1.30.2+rke2r1"
YAML = f"""\
# what users follow
channels:
- name: stable   # the one that most take
  latest: {OLD}   # moved by promotion

- {{name: latest, latest: 'v1.31.0+rke2r1'}}
"""
JSON = f'{{\n  "stable" : "{OLD}",\n\t"other": [1, 2.50]\n}}\n'
TOML = f'# kept\n[channels]\nstable = "{OLD}" # as well\nother = 1_000\n'
KEYED = [
    ("channels.yaml", "channels[name=stable].latest", YAML),
    ("channels.YML", "channels[0].latest", YAML),
    ("a/channels.json", "stable", JSON),
    ("channels.toml", "channels.stable", TOML),
]


def moved(path: str, key: str, text: str, value: str) -> str:
    """The file after the move."""
    found = spot(path, key, value, text.encode())
    assert isinstance(found, Spot), found
    assert found.edit is not None
    return found.edit.applied(text)


@pytest.mark.parametrize(("path", "key", "text"), KEYED)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_value_is_written_and_every_other_byte_stays(path: str, key: str, text: str, ends: str) -> None:
    whole = text.replace("\n", ends)
    assert moved(path, key, whole, NEW) == whole.replace(OLD, NEW)


@pytest.mark.parametrize(("path", "key", "text"), KEYED)
def test_what_says_the_value_is_left_alone(path: str, key: str, text: str) -> None:
    assert spot(path, key, OLD, text.encode()) == Spot(OLD, None)


@pytest.mark.parametrize(
    ("path", "text"), [("a.yaml", 'k: ""\n'), ("a.yaml", "k: null\n"), ("a.yaml", "k: ~ # not yet\n"), ("a.json", '{"k": ""}'), ("a.toml", 'k = ""\n')]
)  # fmt: skip
def test_a_place_that_is_there_and_empty_says_nothing_yet(path: str, text: str) -> None:
    found = spot(path, "k", "v1", text.encode())
    assert isinstance(found, Spot)
    assert found.says == ""
    after = spot(path, "k", "v1", moved(path, "k", text, "v1").encode())
    assert after == Spot("v1", None)


@pytest.mark.parametrize(
    ("path", "key", "content", "rule"),
    [
        ("a.yaml", "k", None, "pointer-missing"),
        ("a.yaml", "other", b"k: v\n", "pointer-missing"),
        ("a.json", "k[name=stable].v", b'{"k": [{"name": "latest", "v": "1"}]}', "pointer-missing"),
        ("a.yaml", "k[name=s].v", b"k:\n- {name: s, v: a}\n- {name: s, v: b}\n", "update-ambiguous"),
        ("a.yaml", "k", b"k: [\n", "update-unreadable"),
        ("a.toml", "k", b"\xff\n", "update-unreadable"),
        ("a.json", "k", b'{"k": "' + b"v" * 1_000_001 + b'"}', "update-unreadable"),
        ("a.yaml", "k", b"k: &x v\nother: *x\n", "update-refused"),
        ("a.yaml", "k", b"k: |\n  v\n", "update-refused"),
        ("a.json", "k", b'{"k": null}', "update-refused"),
        ("a.txt", "k", b"k: v\n", "update-unreadable"),
    ],
)
def test_what_keeps_a_value_from_being_moved_is_told_with_the_path_and_of_pointers(
    path: str, key: str, content: bytes | None, rule: str
) -> None:
    found = spot(path, key, "v1", content)
    assert isinstance(found, Conflict)
    assert found.rule == rule
    assert path in found.why
    assert found.remedy
    assert "downstream" not in str(found)
    assert "regex" not in str(found), "a pointer has no such kind"


def test_a_value_that_is_a_number_to_some_reader_gets_quotes() -> None:
    assert moved("a.yaml", "k", "k: 1.29 # a float to YAML\n", "1.30") == 'k: "1.30" # a float to YAML\n'


@pytest.mark.parametrize("value", ["a: b", "x # y", "'", '"', "*x", "{}", "- v", "v1\\"])
@pytest.mark.parametrize(("path", "text"), [("a.yaml", "k: v\n"), ("a.json", '{"k": "v"}'), ("a.toml", 'k = "v"\n')])
def test_a_hostile_value_is_a_value_and_nothing_else(value: str, path: str, text: str) -> None:
    after = moved(path, "k", text, value)
    assert spot(path, "k", value, after.encode()) == Spot(value, None)


@pytest.mark.parametrize(("path", "kind"), [("a.yml", "yaml"), ("a.b/c.JSON", "json"), ("x.toml", "toml"), ("yaml", None), (".json", None), ("a.yaml/b", None)])  # fmt: skip
def test_a_file_is_what_its_ending_says(path: str, kind: str | None) -> None:
    assert kind_of(path) == kind
