"""Templates of one's own see the story of a release, write a text of it, and can do nothing else."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.adapters.templates import CUT, template
from release.core.changelog import LONGEST
from release.core.commits import Change
from release.core.model import Person
from release.core.notes import BREAKING, OTHER, SECTIONS, TEMPLATES
from release.core.story import Contributor, Links, News, Story
from release.errors import ConfigError

DOCS = Path(__file__).parents[2] / "docs" / "changelog.md"
FORGE = Links(
    issues="https://example.org/issues/{n}",
    pulls="https://example.org/pull/{n}",
    compare="https://example.org/compare/{previous}...{tag}",
)
CHANGE = Change(
    "abcdef1234567890", "fix", "a_b", False, "mend *it*", "", Person("Ann <a>", "a@b"), 12, "ann", "said\nso"
)
PLAIN = Change("1234567890abcdef", "feat", "", True, "add #7", "all of it", Person("Bob", "b@b"))
PEOPLE = (Contributor("Ann", "ann", True, 12), Contributor("B*b"))
STORY = Story("1.2.0", "v1.2.0", "v1.1_0", "2026-01-02", (CHANGE, PLAIN), contributors=PEOPLE, links=FORGE)


def rendered(source: str, story: Story = STORY) -> str:
    return template(source, "docs/notes.j2")(story)


def refused(source: str, story: Story = STORY) -> str:
    with pytest.raises(ConfigError) as caught:
        rendered(source, story)
    assert caught.value.remedy
    return caught.value.message


def the_example() -> str:
    (found,) = re.findall(r"```jinja\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


TEXTS = st.text(alphabet=st.sampled_from("ab {}%#\\`*_[]<>@1\n\r"), max_size=12)
PERSONS = st.builds(Person, TEXTS, TEXTS)
TYPES = st.sampled_from(["feat", "fix", "docs", "", "security"])
CHANGES = st.builds(
    Change, st.text("0123456789abcdef", min_size=16, max_size=16), TYPES, TEXTS, st.booleans(), TEXTS, TEXTS, PERSONS,
    st.integers(0, 3), TEXTS, TEXTS,
)  # fmt: skip
STORIES = st.builds(
    Story,
    version=st.just("1.0.0"),
    tag=st.sampled_from(["", "v1.0.0", "v1_0+b"]),
    previous=st.sampled_from([None, "v0.9_0"]),
    date=st.just("2026-01-02"),
    changes=st.lists(CHANGES, max_size=4).map(tuple),
    news=st.lists(st.builds(News, TEXTS, TYPES, st.booleans(), st.text("ab -`\n", min_size=1)), max_size=2).map(tuple),
    links=st.sampled_from([Links(), FORGE]),
)


@given(STORIES)
def test_the_example_of_the_docs_makes_what_the_built_in_template_makes(story: Story) -> None:
    built_in = TEMPLATES["keep-a-changelog"](story)
    assert rendered(the_example(), story) == built_in
    by_line = re.sub("^- .*$", "- {{ item.line }}", the_example(), flags=re.MULTILINE)
    assert by_line != the_example()
    assert rendered(by_line, story) == built_in


def test_the_docs_name_every_section_and_what_belongs_there() -> None:
    rows = dict(re.findall(r"^\| ([A-Z][a-z ]+) \| (.*) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    assert list(rows) == list(SECTIONS)
    for title, words in SECTIONS.items():
        assert title in (BREAKING, OTHER) or rows[title] == ", ".join(f"`{word}`" for word in words)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ version }} {{ tag }} {{ previous }} {{ date }}", "1.2.0 v1.2.0 v1.1\\_0 2026-01-02"),
        ("{{ compare }}", "https://example.org/compare/v1.1_0...v1.2.0"),
        ("{% for s in sections %}{{ s.title }}={{ s.items|length }};{% endfor %}", "Breaking changes=1;Fixed=1;"),
        ("{{ changes|map(attribute='text')|join(' | ') }}", r"mend \*it\* | add [#7](https://example.org/issues/7): all of it"),
        ("{% for c in changes %}{{ c.type }},{{ c.scope }},{{ c.commit }};{% endfor %}", r"fix,a\_b,abcdef1234;feat,,1234567890;"),
        ("{% for c in changes %}{{ c.pull }},{{ c.author }};{% endfor %}", "[#12](https://example.org/pull/12),@ann;,Bob;"),
        ("{% for c in changes %}{{ c.reference }};{% endfor %}", "[#12](https://example.org/pull/12);1234567890;"),
        ("{{ changes[0].said }}", "said\\\n  so"),
        ("{{ changes[1].line }}", "add [#7](https://example.org/issues/7): all of it (1234567890)"),
        ("{{ changes|selectattr('breaking')|map(attribute='type')|first }}", "feat"),
        ("{% for p in pulls %}{{ p|length }}{{ p[0].type }} {% endfor %}", "1fix 1feat "),
        ("{% for one in contributors %}{{ one.called }},{{ one.name }},{{ one.new }};{% endfor %}", r"@ann,Ann,True;B\*b,B\*b,False;"),
        ("{{ contributors[0].pull }}", "[#12](https://example.org/pull/12)"),
        ("{% for type, all in changes|groupby('type') %}{{ type }} {% endfor %}", "feat fix "),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}{{ m('b') }}", "<1><b>"),
        ("{% set n = namespace(a=0) %}{% for c in changes %}{% set n.a = n.a + 1 %}{% endfor %}{{ n.a }}", "2"),
        ("{% for i in range(3) %}{{ loop.index }}{{ loop.cycle('a', 'b') }}{% endfor %}", "1a2b3a"),
        ("{{ 'a' if 'v1' in tag and 2 > 1 else 'b' }}", "a"),
        ("\n\n{# nothing #}\nx\n\n", "x"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_template_sees_the_story(source: str, text: str) -> None:
    assert rendered(source) == text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("a\n{{ nope }}", "docs/notes.j2:2: 'nope' is undefined"),
        ("{% for c in changes %}\n\n{{ c.nope }}{% endfor %}", "docs/notes.j2:3: "),
        ("a\n{% if %}", "docs/notes.j2:2: Expected an expression"),
        ("{% for c in changes %}", "docs/notes.j2:1: Unexpected end of template"),
        ("\n{{ 1 / 0 }}", "docs/notes.j2:2: ZeroDivisionError"),
        ("{{ 'x'|nope }}", "docs/notes.j2:1: No filter named 'nope'"),
        ("{{ changes }}", "docs/notes.j2:1: a list is no text"),
        ("{{ none }}", "docs/notes.j2:1: a NoneType is no text"),
        ("{{ " + "(" * 300 + "1" + ")" * 300 + " }}", "docs/notes.j2 cannot be read: "),
        ("x" * 50_001, "docs/notes.j2 has 50001 characters"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_line(source: str, said: str) -> None:
    assert refused(source).startswith(said)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ changes[0].__class__ }}",
        "{{ changes[0]['__class__'] }}",
        "{{ ''['__class__'] }}",
        "{{ self.__init__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ range.__globals__ }}",
        "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
        "{{ m._environment }}{% macro m() %}{% endmacro %}",
        "{{ tag.upper() }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ '{a.__class__}'.format_map({'a': 1}) }}",
        "{{ changes.append(1) }}",
        "{{ changes|map('attr', '__class__')|list|length }}",
        "{{ lipsum() }}",
        "{{ cycler('a') }}",
        "{{ dict() }}",
        "{% include 'setup.cfg' %}",
        "{% import 'setup.cfg' as x %}",
        "{% from 'setup.cfg' import x %}",
        "{% extends 'setup.cfg' %}",
        "{% block a %}{% endblock %}{{ self.a() }}",
    ],
)
def test_there_is_no_way_out(source: str) -> None:
    assert refused(source).startswith("docs/notes.j2:1: ")


DOUBLED = "{%% set n = namespace(a=%s) %%}{%% for i in range(60) %%}{%% set n.a = %s %%}{%% endfor %%}{{ n.a }}"


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{% for i in range(100000) %}{% if i in range(100000) %}{% endif %}{% endfor %}",
        "{% for i in range(100000) if i in range(100000) %}{% endfor %}",
        "{% for i in range(100000) %}{% set x = range(100000)|sort %}{% endfor %}",
        "{% for i in range(100000) %}{{ range(100000)|length }}{% endfor %}",
        "{% set t %}{% for i in range(100000) %}" + "y" * 10_000 + "{% endfor %}{% endset %}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(90) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}" + "y" * 5_000 + "{% endmacro %}{% set t %}{% for i in range(100000) %}{{ m(1) }}{% endfor %}{% endset %}",
        "{% for c in changes recursive %}{{ loop(changes) }}{{ loop(changes) }}{% endfor %}",
        "{{ range(1000000) }}",
        "{{ 'x' * 1000000000 }}",
        "{{ [1] * 1000000000 }}",
        "{{ 'a' + 'b' }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{{ 'x'|center(1000000000) }}",
        "{{ 'x'|indent(1000000000) }}",
        "{{ '%1000000000d'|format(1) }}",
        "{{ range(100000)|join('x' ~ range(10000)|join) }}",
        DOUBLED % ("'x'", "n.a ~ n.a"),
        DOUBLED % ("'x'", "n.a|replace('x', 'xx')"),
        DOUBLED % ("2", "n.a * n.a"),
        DOUBLED % ("[1]", "[n.a, n.a]"),
        DOUBLED % ("[1]", "(n.a, n.a)"),
        DOUBLED % ("[1]", "{'a': n.a, 'b': n.a}"),
        "{% macro m() %}{{ varargs }}{% endmacro %}{{ m(1) }}",
        "{{ changes[0:1] }}",
    ],
)  # fmt: skip
def test_what_runs_on_or_grows_is_stopped(source: str) -> None:
    begun = time.perf_counter()
    assert refused(source).startswith("docs/notes.j2")
    assert time.perf_counter() - begun < 20


@pytest.mark.parametrize("line", ["- a line\n", "xx"])
def test_a_text_that_goes_on_is_cut_and_says_so(line: str) -> None:
    found = rendered("{% for i in range(100000) %}" + line + "{% endfor %}")
    assert LONGEST - 100 < len(found) <= LONGEST
    body, _, last = found.rpartition("\n\n")
    assert last == CUT
    assert set(body.split("\n")) == {"- a line"} if line != "xx" else set(body) == {"x"}


def test_no_budget_is_left_over_from_the_story_before() -> None:
    made = template("{% for i in range(100000) %}{% if i == 7 %}x{% endif %}{% endfor %}", "docs/notes.j2")
    assert {made(STORY) for _ in range(12)} == {"x"}


def test_a_story_of_many_changes_is_told_in_time() -> None:
    many = Story("1.0.0", "v1.0.0", None, "", (CHANGE,) * 50_000)
    begun = time.perf_counter()
    assert rendered("{{ changes|length }}", many) == "50000"
    assert time.perf_counter() - begun < 10
