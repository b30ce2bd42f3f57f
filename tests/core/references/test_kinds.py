"""A version is written where a file names one, kind by kind, and every other byte stays what it was."""

from __future__ import annotations

import itertools
import json
import tomllib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from release.core.finding import Conflict
from release.core.model import Splice, UpdateWish
from release.core.references import BOM, LONGEST_FILE, edited, edits, looked

TOML = """\
# what we are built on
name = 'chart'\t# "app"

[app] # here
version = "1.0.0" # kept
literal = 'v1.0.0'
number = 1
half = 1.5
long = \"\"\"
1.0.0\"\"\"
inline = { "a.b" = { version = "1.0.0" }, c = [ "x", { y = "1.0.0" } ] }

[[channel]]
name = "stable"
latest = "1.0.0"

[[channel]]
name = "edge"
latest = "1.0.0"
[channel.more]
day = 1979-05-27 07:32:00
at = "1.0.0"
"""
YAML = """\
# what we are built on
image: {repository: acme/app, tag: v1.0.0} # kept
plain:   v1.0.0   # kept, too
single: 'v1.0.0'
double: "v1.0.0"
number: 1
half: 1.5
block: |
  v1.0.0
folded: v1.0.0
  and more
marked: &one v1.0.0
again: *one
typed: !!str v1.0.0
within: &two
  tag: v1.0.0
nothing:
channels:
  - name: stable
    latest: v1.0.0
  - name: edge
    latest: v1.0.0
"a.b":
  - v1.0.0
"""
JSON = '{\n\t"app": {"version": "1.0.0", "number": 1, "half": 1.5, "off": false},\n  "list": [{"name": "é\\n", "v": "1.0.0"}, "1.0.0" ]\n}\n'
DOCKERFILE = """\
# syntax=docker/dockerfile:1
ARG APP_VERSION=1.0.0
FROM acme/app:${APP_VERSION} AS app
ARG APP_VERSION
# ARG OTHER=1.0.0
arg ONE="1.0.0" TWO='1.0.0' \\
  # THREE=0
  THREE=1.0.0
RUN <<EOF
ARG OTHER=1.0.0
ARG OTHER=1.0.0
EOF
ARG MADE=${ONE}-x
ARG EMPTY=
FROM scratch
ARG TWICE=1
ARG TWICE=2
"""
GO_MOD = """\
module example.com/chart

go 1.22

require example.com/app v1.0.0 // indirect
require (
\texample.com/lib/v2 v2.0.0 // pinned
\t"example.com/odd" "v1.0.0"
)
require gopkg.in/yaml.v3 v3.0.0
require example.com/old v2.0.0+incompatible
require example.com/here v1.0.0
exclude example.com/app v1.1.0
replace example.com/here => ../here
"""
CHART = """\
apiVersion: v2
version: 0.1.0
appVersion: 1.9 # of the app
dependencies:
  - name: app
    version: "1.0.0"
  - name: wide
    version: ^1.0.0
  - {name: twice, version: 1.0.0, alias: a}
  - {name: twice, version: 1.0.0, alias: b}
"""
TEXTS = {"toml": TOML, "yaml": YAML, "json": JSON, "docker-arg": DOCKERFILE, "go-mod": GO_MOD, "helm": CHART}
DONE = (
    ("toml", "app.version", "1.2.0", 'version = "1.0.0" # kept', 'version = "1.2.0" # kept'),
    ("toml", "app.literal", "v1.2.0", "'v1.0.0'", "'v1.2.0'"),
    ("toml", "app.literal", "it's", "'v1.0.0'", '"it\'s"'),
    ("toml", "app.number", "2", "number = 1", "number = 2"),
    ("toml", "app.number", "2.0", "number = 1", 'number = "2.0"'),
    ("toml", 'app.inline."a.b".version', "2", '"a.b" = { version = "1.0.0" }', '"a.b" = { version = "2" }'),
    ("toml", "app.inline.c[1].y", "2", '{ y = "1.0.0" }', '{ y = "2" }'),
    ("toml", "channel[name=stable].latest", "2", 'latest = "1.0.0"\n\n', 'latest = "2"\n\n'),
    ("toml", "channel[1].more.at", "2", 'at = "1.0.0"', 'at = "2"'),
    ("yaml", "image.tag", "v1.2.0", "tag: v1.0.0} # kept", "tag: v1.2.0} # kept"),
    ("yaml", "plain", "v1.2.0", "  v1.0.0   # kept", "  v1.2.0   # kept"),
    ("yaml", "plain", "1.10", "  v1.0.0   # kept", '  "1.10"   # kept'),
    ("yaml", "plain", "yes", "  v1.0.0   # kept", '  "yes"   # kept'),
    ("yaml", "plain", "1e3", "  v1.0.0   # kept", '  "1e3"   # kept'),
    ("yaml", "plain", "2026-01-02", "  v1.0.0   # kept", '  "2026-01-02"   # kept'),
    ("yaml", "plain", "acme/app:v1.2.0", "  v1.0.0   # kept", "  acme/app:v1.2.0   # kept"),
    ("yaml", "plain", "a: b #", "  v1.0.0   # kept", '  "a: b #"   # kept'),
    ("yaml", "single", "it's", "'v1.0.0'", "'it''s'"),
    ("yaml", "double", 'a"b', '"v1.0.0"', '"a\\"b"'),
    ("yaml", "number", "2", "number: 1", "number: 2"),
    ("yaml", "number", "02", "number: 1", 'number: "02"'),
    ("yaml", "half", "1.5", "half: 1.5", 'half: "1.5"'),
    ("yaml", "channels[name=edge].latest", "v2", '  latest: v1.0.0\n"', '  latest: v2\n"'),
    ("yaml", '"a.b"[0]', "v2", "  - v1.0.0\n", "  - v2\n"),
    ("json", "app.version", "1.2.0", '"1.0.0", "number"', '"1.2.0", "number"'),
    ("json", "app.number", "2", '"number": 1', '"number": 2'),
    ("json", "app.number", "v2", '"number": 1', '"number": "v2"'),
    ("json", "list[0].v", 'a"\\', '"v": "1.0.0"', '"v": "a\\"\\\\"'),
    ("json", "list[1]", "2", ', "1.0.0" ]', ', "2" ]'),
    ("docker-arg", "APP_VERSION", "1.2.0", "ARG APP_VERSION=1.0.0", "ARG APP_VERSION=1.2.0"),
    ("docker-arg", "ONE", "2", 'ONE="1.0.0"', 'ONE="2"'),
    ("docker-arg", "TWO", "2", "TWO='1.0.0'", "TWO='2'"),
    ("docker-arg", "THREE", "2", "THREE=1.0.0", "THREE=2"),
    ("go-mod", "example.com/app", "v1.2.0", "app v1.0.0 // indirect", "app v1.2.0 // indirect"),
    ("go-mod", "example.com/lib/v2", "v2.1.0-rc.1", "v2.0.0 // pinned", "v2.1.0-rc.1 // pinned"),
    ("go-mod", "example.com/odd", "v1.2.0", '"v1.0.0"', '"v1.2.0"'),
    ("go-mod", "gopkg.in/yaml.v3", "v3.1.0", "v3.0.0", "v3.1.0"),
    ("go-mod", "example.com/old", "v2.1.0+incompatible", "v2.0.0+incompatible", "v2.1.0+incompatible"),
    ("helm", "", "1.10", "appVersion: 1.9 #", 'appVersion: "1.10" #'),
    ("helm", "app", "1.2.0", '"1.0.0"', '"1.2.0"'),
)
REFUSED = (
    ("toml", "app.versions", "2", "update-missing", "has app and no versions in it"),
    ("toml", "app", "2", "update-refused", "which is no single value"),
    ("toml", "app.half", "2", "update-refused", "which is no text"),
    ("toml", "app.long", "2", "update-refused", "several lines"),
    ("toml", "channel.latest", "2", "update-missing", "has channel and no latest"),
    ("toml", "channel[2].latest", "2", "update-missing", "no [2]"),
    ("toml", "channel[name=none].latest", "2", "update-missing", "name=none"),
    ("yaml", "image.version", "2", "update-missing", "has image and no version"),
    ("yaml", "block", "2", "update-refused", "several lines"),
    ("yaml", "folded", "2", "update-refused", "several lines"),
    ("yaml", "marked", "2", "update-refused", "anchor &one"),
    ("yaml", "again", "2", "update-refused", "alias"),
    ("yaml", "typed", "2", "update-refused", "has the tag"),
    ("yaml", "within.tag", "2", "update-refused", "what it is in has the anchor &two"),
    ("yaml", "nothing", "2", "update-refused", "it is empty"),
    ("json", "app.off", "2", "update-refused", "which is no text"),
    ("json", "list[0].w", "2", "update-missing", "no w in it"),
    ("docker-arg", "OTHER", "2", "update-missing", "no ARG OTHER"),
    ("docker-arg", "MADE", "2", "update-refused", "made of variables"),
    ("docker-arg", "EMPTY", "2", "update-refused", "empty"),
    ("docker-arg", "TWICE", "3", "update-ambiguous", "2 times"),
    ("docker-arg", "ONE", "a b", "update-refused", "read otherwise"),
    ("go-mod", "example.com/none", "v1.2.0", "update-missing", "no require"),
    ("go-mod", "example.com/here", "v1.2.0", "update-refused", "no effect"),
    ("go-mod", "example.com/app", "1.2.0", "update-refused", "no version of a Go module"),
    ("go-mod", "example.com/app", "v1.33.1+rke2r1", "update-refused", "no version of a Go module"),
    ("go-mod", "example.com/app", "v2.0.0", "update-refused", "part of a module's path"),
    ("go-mod", "gopkg.in/yaml.v3", "v4.0.0", "update-refused", "part of a module's path"),
    ("helm", "wide", "1.2.0", "update-refused", "range of versions"),
    ("helm", "twice", "1.2.0", "update-ambiguous", "2 times"),
    ("helm", "none", "1.2.0", "update-missing", "name="),
)


def wish(kind: Any, key: str = "", value: str = "2", pattern: str = "") -> UpdateWish:
    return UpdateWish("some/file", kind, value, pattern, key)


def after(one: UpdateWish, text: str) -> str:
    """The text once the value is written."""
    edit = edited(one, text)
    assert isinstance(edit, Splice), edit
    return edit.applied(text)


@pytest.mark.parametrize(("kind", "key", "value", "before", "wanted"), DONE)
def test_only_the_value_changes(kind: str, key: str, value: str, before: str, wanted: str) -> None:
    """Whatever ends the lines, and with or without a byte order mark."""
    assert TEXTS[kind].count(before) == 1
    one = wish(kind, key, value)
    for ends, mark in itertools.product(("\n", "\r\n"), ("", BOM)):
        written = after(one, mark + TEXTS[kind].replace("\n", ends))
        assert written == mark + TEXTS[kind].replace(before, wanted).replace("\n", ends)
        assert edited(one, written) is None


@pytest.mark.parametrize(("kind", "key", "value", "rule", "why"), REFUSED)
def test_what_cannot_be_written_is_told(kind: str, key: str, value: str, rule: str, why: str) -> None:
    found = edited(wish(kind, key, value), TEXTS[kind])
    assert isinstance(found, Conflict)
    assert found.rule == rule
    assert found.why.startswith("some/file ")
    assert why in found.why
    assert found.remedy


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("toml", 'a = "1"\na = "2"\n'),
        ("toml", "a = \n"),
        ("toml", "a" + ".b" * 5000 + " = 1\n"),
        ("toml", "a = " + "[" * 5000 + "]" * 5000),
        ("yaml", "a: 1\na: 2\n"),
        ("yaml", "a: {{ .Values.a }}\n"),
        ("yaml", "a: [\n"),
        ("yaml", "? [b]\n: 1\na: 1\n"),
        ("yaml", "a: " + "[" * 5000 + "]" * 5000),
        ("yaml", 'a: "\\UFFFFFFFF"\n'),
        ("json", '{"a": 1, "a": 2}'),
        ("json", '{"a": 1, // one\n}'),
        ("json", '{"a": NaN}'),
        ("json", "[" * 100_000),
        ("docker-arg", "ARG a=1 !\n"),
    ],
)
def test_a_file_that_is_not_what_it_is_said_to_be_is_left_alone(kind: str, text: str) -> None:
    found = edited(wish(kind, "a"), text)
    assert isinstance(found, Conflict)
    assert found.rule == "update-unreadable"


def test_a_key_that_two_documents_have_is_not_chosen_between() -> None:
    found = edited(wish("yaml", "tag"), "tag: v1\n---\ntag: v2\n")
    assert isinstance(found, Conflict)
    assert found.rule == "update-ambiguous"
    assert after(wish("yaml", "tag", "v3"), "tag: v1\n---\nother: v2\n") == "tag: v3\n---\nother: v2\n"


def test_a_number_that_looks_the_same_is_no_text_yet() -> None:
    """1.10 is 1.1 to whoever reads it."""
    assert after(wish("yaml", "a", "1.10"), "a: 1.10\n") == 'a: "1.10"\n'
    assert edited(wish("yaml", "a", "110"), "a: 110\n") is None
    assert edited(wish("yaml", "a", "1.10"), "a: '1.10'\n") is None


PATTERN = r"^app = (?P<value>.*)$"


def test_a_pattern_finds_its_value_once() -> None:
    assert after(wish("regex", value="2", pattern=PATTERN), "app = 1\r\nlib = 1\r\n") == "app = 2\r\nlib = 1\r\n"
    assert edited(wish("regex", value="1", pattern=PATTERN), "app = 1\r\n") is None
    for text, rule in (("lib = 1\n", "update-missing"), ("app = 1\napp = 1\n", "update-ambiguous")):
        found = edited(wish("regex", pattern=PATTERN), text)
        assert isinstance(found, Conflict)
        assert found.rule == rule


def test_a_pattern_that_would_not_find_what_was_written_is_refused() -> None:
    found = edited(wish("regex", value="v2", pattern="app = (?P<value>[0-9]+)"), "app = 1\n")
    assert isinstance(found, Conflict)
    assert "would not say 'v2'" in found.why


def test_a_pattern_whose_value_reaches_over_lines_is_refused() -> None:
    found = edited(wish("regex", value="v2", pattern=r"app = (?P<value>[\s\S]+)"), "app = 1\nlib = 1\n")
    assert isinstance(found, Conflict)
    assert "several lines" in found.why


def test_several_updates_of_one_file_go_together() -> None:
    wishes = (wish("toml", "app.version", "1.2.0"), wish("toml", "channel[name=edge].latest", "longer-1.2.0"))
    said, conflicts = looked(wishes, {"some/file": TOML.encode()})
    text = TOML
    for edit in sorted(edits(said), key=lambda edit: edit.start, reverse=True):
        text = edit.applied(text)
    assert not conflicts
    data = tomllib.loads(text)
    assert data["app"]["version"] == "1.2.0"
    assert [one["latest"] for one in data["channel"]] == ["1.0.0", "longer-1.2.0"]


def test_two_values_for_one_place_are_refused_and_one_value_twice_is_written_once() -> None:
    first = wish("regex", value="1.2.0", pattern='version = "(?P<value>[^"]*)" # kept')
    for value, wanted in (("1.3.0", ["update-overlap"]), ("1.2.0", [])):
        other = wish("regex", value=value, pattern='version = "(?P<value>1[^"]*)" #')
        said, conflicts = looked((first, other), {"some/file": TOML.encode()})
        assert [conflict.rule for conflict in conflicts] == wanted
    assert len(edits(said)) == 1
    quoted = looked((first, wish("toml", "app.version", "1.2.0")), {"some/file": TOML.encode()})
    assert [conflict.rule for conflict in quoted[1]] == ["update-overlap"]


@pytest.mark.parametrize(
    ("kind", "key", "text"),
    [
        ("yaml", "parts[tag=v1.0.0].tag", "parts:\n- tag: v1.0.0\n"),
        ("helm", "app", "dependencies:\n- name: app\n  version: 1.0.0\n"),
    ],
)
def test_what_would_not_be_found_again_is_not_written(kind: str, key: str, text: str) -> None:
    said, (conflict,) = looked((wish(kind, key, "agent-v1.2.0"),), {"some/file": text.encode()})
    assert not said
    assert conflict.rule == "update-refused"
    assert "would not say 'agent-v1.2.0'" in conflict.why


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"a: v1\n" + b"#" * LONGEST_FILE], ids=["none", "odd", "large"])
def test_a_file_that_is_missing_or_odd_or_large_is_a_conflict(content: bytes | None) -> None:
    said, (conflict,) = looked((wish("yaml", "a"),), {"some/file": content})
    assert said == ()
    assert conflict.why.startswith("some/file ")


NAMES = st.text("ab.:-'\" ", min_size=1, max_size=4)
SCALARS = st.text(max_size=8) | st.integers(-5, 50) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
TREES = st.recursive(
    SCALARS, lambda of: st.lists(of, max_size=3) | st.dictionaries(NAMES, of, max_size=3), max_leaves=8
)
VALUES = ["v1.2.0", "1.10", "no", "7", 'a"b', "it's", "ü: x", "-1", "0x1f", "~", "12e4", "- a", "#a", "a #b"]


@given(rest=st.dictionaries(NAMES, TREES, max_size=3), value=st.sampled_from(VALUES), flow=st.booleans())
def test_whatever_the_document_one_text_changes_and_nothing_else(rest: dict[str, Any], value: str, flow: bool) -> None:
    tree = {**rest, "target": {"tag": "before"}}
    for kind, text, read in (
        ("yaml", yaml.safe_dump(tree, default_flow_style=flow, allow_unicode=True, sort_keys=False), yaml.safe_load),
        ("json", json.dumps(tree), json.loads),
    ):
        written = after(wish(kind, "target.tag", value), text)
        assert read(written) == {**read(text), "target": {"tag": value}}
