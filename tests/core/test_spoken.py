"""What one place of a file said over time: read where it can be, nothing where it cannot, never an error."""

from __future__ import annotations

from time import perf_counter

import pytest

from release.core.file_change import FileChange
from release.core.model import Person, UpdateWish
from release.core.references import yaml_key
from release.core.spoken import spoken

KEY = "channels[name=stable].latest"
ADA = Person("Ada", "ada@example.org")
SERVED = "channels: [{name: stable, latest: v1.30.1+rke2r1}]\n"


def said(*contents: bytes | str | None, path: str = "channels.yaml", key: str = KEY) -> list[str | None]:
    changes = [
        FileChange(f"{number:040}", ADA, "2026-01-05T10:00:00Z", one.encode() if isinstance(one, str) else one)
        for number, one in enumerate(contents)
    ]
    found = list(spoken(path, key, changes))
    assert [(one.commit, one.who, one.when) for one in found] == [(one.commit, one.who, one.when) for one in changes]
    return [one.says for one in found]


@pytest.mark.parametrize(
    ("path", "key", "content"),
    [
        ("channels.yaml", KEY, SERVED),
        (
            "a/b.YML",
            KEY,
            "channels:\n- name: latest\n  latest: v2\n- name: stable # ours\n  latest: 'v1.30.1+rke2r1'\n",
        ),
        ("channels.yaml", KEY, "\ufeff" + SERVED),
        ("channels.yaml", KEY, SERVED.replace(" v1", " &here v1")),
        ("channels.yaml", KEY, SERVED.replace("\n", "\r\n")),
        ("channels.json", KEY, '{"channels": [{"name": "stable", "latest": "v1.30.1+rke2r1"}]}'),
        ("channels.toml", KEY, '[[channels]]\nname = "stable"\nlatest = "v1.30.1+rke2r1"\n'),
        ("channels.json", "stable", '\ufeff{"stable": "v1.30.1+rke2r1"}'),
        ("x.yaml", "stable", "stable: v1.30.1+rke2r1"),
    ],
)
def test_a_value_is_read_by_its_key(path: str, key: str, content: str) -> None:
    assert said(content, path=path, key=key) == ["v1.30.1+rke2r1"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "channels: [",
        "channels: {stable: x}\n",
        "channels: [{name: latest, latest: v1}]\n",
        "channels: [{name: stable}]\n",
        "channels: [{name: stable, latest: [v1]}]\n",
        "channels: [{name: stable, latest: }]\n",
        "channels: [{name: stable, latest: ~}]\n",
        "channels: [{name: stable, latest: null}]\n",
        "channels: [{name: stable, latest: ''}]\n",
        "channels: [{name: stable, latest: v1, latest: v2}]\n",
        "channels: [{name: stable, latest: v1}, {name: stable, latest: v2}]\n",
        "[" * 100_000,
        b"\xff\xfe",
        b"\0",
        "<<<<<<< HEAD\n" + SERVED,
    ],
)
def test_what_cannot_be_read_says_nothing(content: bytes | str | None) -> None:
    assert said(SERVED, content, SERVED) == ["v1.30.1+rke2r1", None, "v1.30.1+rke2r1"]


def test_a_file_of_another_kind_says_nothing() -> None:
    assert said(SERVED, path="channels.txt") == [None]


def test_a_text_that_is_no_version_is_told_as_it_is() -> None:
    assert said("channels: [{name: stable, latest: 'null'}]", "channels: [{name: stable, latest: soon \u202e}]") == [
        "null",
        "soon \u202e",
    ]


def test_changes_are_read_as_somebody_asks_for_them() -> None:
    def endless() -> object:
        while True:
            yield FileChange("0" * 40, ADA, "", SERVED.encode())

    assert next(spoken("channels.yaml", KEY, endless())).says == "v1.30.1+rke2r1"  # type: ignore[arg-type]


WHOLE = SERVED + "".join(
    f"release-{n}:\n  version: v1.{n}.0+rke2r1\n  args: &args-{n} {{tls-san: [a, 'b', \"c\"]}}\n  more: *args-{n}\n"
    for n in range(400)
)


def test_the_quick_reader_of_yaml_sees_what_the_other_sees() -> None:
    wish = UpdateWish("channels.yaml", "yaml", "", key=KEY)
    for text in (SERVED, WHOLE, "---\na: |\n  b\n  c\n...\n---\nd: 'é\U0001f600' # x\n"):
        assert yaml_key.read_only(text) == yaml_key.leaves(wish, text)


def test_a_long_file_with_a_long_past_is_read_in_no_more_time_than_it_takes_to_read_it_that_often() -> None:
    few, many = (timed(count) for count in (50, 200))
    assert many < few * 4 * 3  # of which 3 is for a machine that does other things as well


def timed(count: int) -> float:
    begun = perf_counter()
    assert said(*[WHOLE] * count) == ["v1.30.1+rke2r1"] * count
    return perf_counter() - begun
