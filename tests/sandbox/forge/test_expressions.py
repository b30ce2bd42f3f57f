"""The language of `${{ }}`, as GitHub documents it."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.sandbox.forge.expressions import ExpressionError, Scope, condition, evaluate, insert, resolve, shown
from release.sandbox.forge.grammar import parse

SCOPE = Scope(
    {
        "github": {"ref": "refs/tags/v1.2.3", "event": {"release": {"tag_name": "v1.2.3", "prerelease": False}}},
        "matrix": {"os": ["linux", "windows"], "n": 3},
        "needs": {"a": {"result": "success", "outputs": {"x": "1"}}, "b": {"result": "failure", "outputs": {}}},
        "secrets": {"DEPLOY_TOKEN": "s3"},
        "env": {"EMPTY": ""},
    }
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it''s'", "it's"),
        ("0x1F", 31),
        ("-2.5e1", -25.0),
        ("null", None),
        ("true && 'yes' || 'no'", "yes"),
        ("false && 'yes' || 'no'", "no"),
        ("!true || !false", True),
        ("!(1 < 2)", False),
        ("1 == '1'", True),
        ("true == 1", True),
        ("null == 0", True),
        ("null == ''", True),
        ("'a' == 'A'", True),
        ("'a' != 'b'", True),
        ("'abc' == 0", False),
        ("NaN == NaN", False),
        ("'' == 0", True),
        ("'b' > 'A'", True),
        ("2 > '10'", False),
        ("1 < 2 == true", True),
        ("matrix == matrix", True),
        ("matrix.os == needs", False),
        ("github.ref", "refs/tags/v1.2.3"),
        ("GitHub.REF", "refs/tags/v1.2.3"),
        ("github['event'].release['tag_name']", "v1.2.3"),
        ("matrix.os[1]", "windows"),
        ("matrix.os[7]", None),
        ("github.nothing.at.all", None),
        ("secrets.DEPLOY_TOKNE", None),
        ("needs.*.result", ["success", "failure"]),
        ("needs.*.outputs.x", ["1"]),
        ("contains(needs.*.result, 'failure')", True),
        ("contains('Hello world', 'LLO')", True),
        ("contains(fromJSON('[\"push\", 3]'), '3')", True),
        ("contains(github.event, 'release')", False),
        ("startsWith(github.ref, 'REFS/tags/v')", True),
        ("endsWith(github.ref, '.3')", True),
        ("format('{0}-{1} {{x}}', 'a', matrix.n)", "a-3 {x}"),
        ("join(matrix.os, '+')", "linux+windows"),
        ("join(matrix.os)", "linux,windows"),
        ("join('one', '+')", "one"),
        ("fromJSON('{\"a\": [1, 2]}').a[1]", 2),
        ("fromJSON(toJSON(matrix))", {"os": ["linux", "windows"], "n": 3}),
    ],
)
def test_an_expression_has_its_documented_value(text: str, value: object) -> None:
    assert evaluate(text, SCOPE) == value


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("foo.bar", "Unrecognized named-value: 'foo'"),
        ("hashFile('x')", "Unrecognized function: 'hashFile'"),
        ("contains('x')", "2 to 2 arguments"),
        ("1 +", "Unexpected symbol"),
        ("'open", "Unexpected symbol"),
        ("github.", "after a dot"),
        ("github['ref'", "Expected ']'"),
        ("(1", "Expected ')'"),
        ("1 2", "Unexpected symbol: '2'"),
        ("", "the end"),
        ("!" * 60 + "true", "50 deep"),
        ("github" + ".a" * 9000, "more than 400 words"),
        ("1||" * 9000, "an expression of 27000 characters"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, word: str) -> None:
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert word in str(error.value)


def test_values_are_inserted_as_text_and_as_they_are() -> None:
    scope = Scope({"inputs": {"title": '"; rm -rf / #'}, "matrix": {"a": [1], "b": {}, "c": 1.5, "d": 1e21, "e": True}})
    assert insert('echo "${{ inputs.title }}"', scope) == 'echo ""; rm -rf / #"'
    assert insert("${{matrix.a}} ${{matrix.b}} ${{matrix.c}} ${{matrix.d}} ${{matrix.e}}${{matrix.f}}", scope) == (
        "Array Object 1.5 1E+21 true"
    )
    assert insert("no $HOLES {{ here }}", scope) == "no $HOLES {{ here }}"
    assert insert("${{ '}}' }}", scope) == "}}"
    with pytest.raises(ExpressionError, match="not closed"):
        insert("${{ github.ref }", scope)


def test_a_lone_expression_keeps_its_kind() -> None:
    assert resolve("${{ matrix.os }}", SCOPE) == ["linux", "windows"]
    assert resolve(" ${{ matrix.n }} ", SCOPE) == 3
    assert resolve("n=${{ matrix.n }}", SCOPE) == "n=3"


@pytest.mark.parametrize(
    ("text", "green", "red"),
    [
        ("", True, False),
        ("true", True, False),
        ("github.ref == 'refs/tags/v1.2.3'", True, False),
        ("${{ always() }}", True, True),
        ("failure()", False, True),
        ("!cancelled()", True, True),
        ("success() || failure()", True, True),
        ("github.event.release.prerelease", False, False),
        ("always() && needs.b.result == 'failure'", True, True),
        ("${{ github.event.release.prerelease }} == 'it''s'", True, False),
        ("{x} ${{ 1 }}", True, False),
    ],
)
def test_a_condition_wants_success_unless_it_asks(text: str, green: bool, red: bool) -> None:
    assert condition(text, SCOPE) is green
    assert condition(text, Scope(SCOPE.contexts, {"failure": True})) is red


def test_a_condition_that_cannot_be_worked_out_is_told() -> None:
    with pytest.raises(ExpressionError, match="not JSON"):
        condition("fromJSON('{')", SCOPE)
    with pytest.raises(ExpressionError, match="NaN is no JSON"):
        evaluate("fromJSON('[NaN]')", SCOPE)
    with pytest.raises(ExpressionError, match="format string"):
        evaluate("format('{3}', 'a')", SCOPE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_comes_back_as_it_went(value: object) -> None:
    assert evaluate("fromJSON(toJSON(inputs))", Scope({"inputs": value})) == value


@given(st.text())
def test_a_quoted_text_is_itself_whatever_is_in_it(text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    assert insert(f"${{{{ {quoted} }}}}", SCOPE) == text
    assert evaluate(f"fromJSON(inputs) == {quoted}", Scope({"inputs": json.dumps(text)})) is True


@given(st.text(alphabet="abgithub.[]()'!=<>&|,*{}$ 01", max_size=30))
def test_any_text_is_read_or_refused_and_never_breaks_the_reader(text: str) -> None:
    with suppress(ExpressionError):
        assert isinstance(shown(evaluate(text, SCOPE)), str)
