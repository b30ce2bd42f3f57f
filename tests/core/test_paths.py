"""A glob covers the paths that it says, and no hostile one takes long."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from time import process_time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.config import Config, PathRule
from release.core.facts import Facts
from release.core.model import Reason
from release.core.paths import matches, path_reasons


@pytest.mark.parametrize(
    ("glob", "covered", "not_covered"),
    [
        ("*.py", ["a.py", ".py"], ["a/b.py", "a.pyi"]),
        ("docs/*", ["docs/a"], ["docs", "docs/a/b", "xdocs/a"]),
        ("docs/**", ["docs/a", "docs/a/b/c"], ["docs", "docsx/a", "a/docs/b"]),
        ("**", ["a", "a/b"], []),
        ("**/go.mod", ["go.mod", "a/go.mod", "a/b/go.mod"], ["a/xgo.mod", "go.mod/a"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a/b/b"], ["a/b/c", "ab", "a/xb"]),
        ("a/**/b/**", ["a/b/c", "a/x/b/y/z"], ["a/b"]),
        ("**/a/**/**/b", ["a/b", "x/a/y/b"], ["a", "b"]),
        ("a?c", ["abc", "a*c"], ["ac", "a/c", "abbc"]),
        ("a**c", ["ac", "axxc"], ["a/c"]),
        ("**a", ["a", "xa"], ["x/a"]),
        ("[id].ts", ["[id].ts"], ["i.ts", "d.ts"]),
        ("[!a]", ["[!a]"], ["b"]),
        ("{a,b}", ["{a,b}"], ["a", "b"]),
        ("a.b", ["a.b"], ["axb", "A.B"]),
        ("ü*", ["ü", "üx\ny"], ["u"]),
        ("\\*", ["\\a"], ["*"]),
    ],
)
def test_a_glob_covers_what_it_says(glob: str, covered: list[str], not_covered: list[str]) -> None:
    assert [path for path in [*covered, *not_covered] if matches([glob], path)] == covered


GLOBS = st.lists(st.sampled_from(["**", "*", "a", "b", "a*", "*b", "a*b*a", "?", "?b"]), min_size=1, max_size=5)
PATHS = st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=5)


@given(GLOBS, PATHS)
def test_a_glob_agrees_with_a_reader_that_tries_every_way(glob: list[str], path: list[str]) -> None:
    def name(part: str, text: str) -> bool:
        if not part:
            return not text
        if part[0] == "*":
            return any(name(part[1:], text[taken:]) for taken in range(len(text) + 1))
        return bool(text) and part[0] in ("?", text[0]) and name(part[1:], text[1:])

    @cache
    def whole(at: int, on: int) -> bool:
        if at == len(glob):
            return on == len(path)
        if glob[at] == "**":
            if at == len(glob) - 1:
                return on < len(path)
            return any(whole(at + 1, further) for further in range(on, len(path) + 1))
        return on < len(path) and name(glob[at], path[on]) and whole(at + 1, on + 1)

    assert matches(["/".join(glob)], "/".join(path)) == whole(0, 0)


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        (lambda n: "*a" * 200 + "b", lambda n: "a" * n),
        (lambda n: "**/a/" * 90 + "b", lambda n: "a/" * n + "c"),
        (lambda n: "**/*a*a*/" * 50 + "b", lambda n: "aaa/" * n + "c"),
        (lambda n: "*" * 400, lambda n: "a" * n),
    ],
)
def test_the_time_is_in_proportion_to_the_path(glob: Callable[[int], str], path: Callable[[int], str]) -> None:
    def taken(length: int) -> float:
        begun = process_time()
        for _ in range(3):
            matches([glob(0)], path(length))
        return process_time() - begun

    taken(100)
    assert taken(16_000) < 60 * max(taken(1_000), 0.002)


def told(paths: list[str], *rules: PathRule) -> list[Reason]:
    config = Config(changes=msgspec.structs.replace(Config().changes, sources=("paths",), path=rules))
    return list(path_reasons(config, Facts(paths=tuple(paths)), ()))


def test_each_rule_has_one_reason_that_names_a_few_paths() -> None:
    charts = PathRule(("charts/**", "images/**"), "minor", "what is shipped")
    docs = PathRule(("docs/**",), "none")
    never = PathRule(("never/**",), "major")
    paths = ["charts/a", "docs/b", "images/c", "charts/d", "charts/e", "x"]
    assert told(paths, charts, docs, never) == [
        Reason("charts/a", "charts/a, images/c, charts/d and 1 more", "minor", "what is shipped"),
        Reason("docs/b", "docs/b", "none", "path docs/**"),
    ]


def test_a_path_of_any_characters_is_safe_to_show() -> None:
    (reason,) = told(["a/\x1b[2J\u202ex\n" + "y" * 10_000], PathRule(("a/**",)))
    assert len(reason.source) <= 200
    assert reason.source.isprintable()
    assert reason.what.isprintable()
