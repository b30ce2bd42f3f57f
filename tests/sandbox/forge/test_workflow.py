"""A workflow file is read as GitHub reads it, and refused as GitHub refuses it."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.sandbox.forge.definition import Concurrency, Filter, Input, Invalid, Push, Workflow, combinations
from release.sandbox.forge.workflow import read, title

JOBS = """
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: "true"
"""


def workflow(on: str, rest: str = JOBS) -> Workflow:
    return read(".github/workflows/w.yml", f"on:{on}\n{textwrap.dedent(rest)}")


def test_a_whole_file_is_read() -> None:
    made = read(
        ".github/workflows/release.yml",
        textwrap.dedent("""\
            name: Release
            run-name: Release ${{ inputs.tag }} by @${{ github.actor }}
            on:
              workflow_dispatch:
                inputs:
                  tag: {description: Which, required: true}
                  dry: {type: boolean, default: false}
                  level: {type: choice, options: [low, high], default: low}
              release:
                types: [published]
              push: {tags: ["v*"]}
            env: {A: 1, YES: yes, ON: on, DATE: 2026-01-02, TIME: 12:30:45}
            permissions: {contents: write}
            concurrency: {group: "x-${{ github.ref }}", cancel-in-progress: true}
            defaults: {run: {shell: sh, working-directory: sub}}
            jobs:
              build:
                runs-on: [self-hosted, linux]
                outputs: {digest: "${{ steps.d.outputs.digest }}"}
                strategy:
                  fail-fast: false
                  matrix: {os: [a, b], include: [{os: c}]}
                steps:
                  - uses: actions/checkout@v4
                    with: {fetch-depth: 0}
                  - {id: d, name: Digest, if: always(), run: echo, env: {B: 2.5}, continue-on-error: true}
              ship:
                name: Ship ${{ needs.build.outputs.digest }}
                runs-on: ubuntu-latest
                needs: build
                if: ${{ !cancelled() }}
                environment: {name: prod, url: "https://x"}
                permissions: {}
                concurrency: prod
                timeout-minutes: 5
                defaults: {run: {shell: python}}
                steps: [{run: print(1), shell: python}]
            """),
    )
    assert (made.name, made.run_name) == ("Release", "Release ${{ inputs.tag }} by @${{ github.actor }}")
    assert made.on.inputs == (
        Input("tag", required=True),
        Input("dry", "boolean", default="false"),
        Input("level", "choice", default="low", options=("low", "high")),
    )
    assert made.on.takes("release", "published")
    assert not made.on.takes("release", "created")
    assert made.env == {"A": "1", "YES": "yes", "ON": "on", "DATE": "2026-01-02", "TIME": "12:30:45"}
    assert (made.permissions, made.concurrency) == ({"contents": "write"}, Concurrency("x-${{ github.ref }}", "true"))
    build, ship = made.jobs
    assert (build.shell, build.directory, build.fail_fast, build.labels) == (
        "sh",
        "sub",
        "false",
        ("self-hosted", "linux"),
    )
    assert (build.steps[0].uses, build.steps[0].inputs) == ("actions/checkout@v4", {"fetch-depth": "0"})
    assert (build.steps[1].condition, build.steps[1].env, build.steps[1].continues) == (
        "always()",
        {"B": "2.5"},
        "true",
    )
    assert (ship.needs, ship.condition, ship.environment) == (("build",), "${{ !cancelled() }}", "prod")
    assert (ship.permissions, ship.concurrency, ship.timeout) == ({}, Concurrency("prod"), "5")
    assert (ship.shell, ship.directory) == ("python", "sub")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("on: push\njobs: {a: [", "error in your yaml syntax"),
        ("on: push", "missing: jobs"),
        (JOBS, "No event triggers"),
        (f"on: push\nfoo: 1{JOBS}", "(foo): Unexpected value 'foo'"),
        (f"on: push\nenv: [a]{JOBS}", "env is sequence"),
        (f"on: push\non: push{JOBS}", "'on' is already defined on line 2"),
        ("on: push\njobs: {a: {steps: [{run: x}]}}", "jobs.a.runs-on): Required"),
        ("on: push\njobs: {a: {runs-on: x}}", "missing: steps"),
        ("on: push\njobs: {a: {runs-on: x, steps: [{name: x}]}}", "add one of these: run, uses"),
        ("on: push\njobs: {a: {runs-on: x, steps: [{run: x, uses: y}]}}", "either `run` or `uses`"),
        ("on: push\njobs: {a: {runs-on: x, steps: [{run: x, id: y}, {run: x, id: y}]}}", "'y' may not be used more"),
        ("on: push\njobs: {a: {runs-on: x, steps: [{run: x, ruun: y}]}}", "jobs.a.steps[0].ruun): Unexpected"),
        ("on: push\njobs: {'a b': {runs-on: x, steps: [{run: x}]}}", "identifier 'a b' is invalid"),
        ("on: push\njobs: {a: {runs-on: x, needs: b, steps: [{run: x}]}}", "depends on unknown job 'b'"),
        ("on: push\njobs: {a: {runs-on: x, needs: a, steps: [{run: x}]}}", "no dependencies"),
        ("on: push\njobs: {a: {runs-on: x, steps: [{run: '${{ secret.X }}'}]}}", "named-value: 'secret'"),
        ("on: push\njobs: {a: {runs-on: x, if: 'foo()', steps: [{run: x}]}}", "Unrecognized function: 'foo'"),
        (
            "on: push\njobs: {a: {runs-on: x, permissions: {contents: all}, steps: [{run: x}]}}",
            "Unexpected value 'all'",
        ),
        ("on: {push: {tags: [a], tags-ignore: [b]}}" + JOBS, "only define one of"),
        ("on: {push: {tags: ['!a']}}" + JOBS, "without `!`"),
        ("on: {workflow_dispatch: {inputs: {a: {type: choice}}}}" + JOBS, "missing: options"),
        ("on: {workflow_dispatch: {inputs: {a: {type: file}}}}" + JOBS, "Unexpected value 'file'"),
        ("- a", "the file is sequence"),
        ("on: !!python/object:os.system x", "yaml syntax"),
        ("&a [*a, *b]", "yaml syntax"),
        ("[" * 3000, "yaml syntax"),
    ],
)
def test_an_invalid_file_is_refused_with_its_reason(text: str, word: str) -> None:
    with pytest.raises(Invalid) as error:
        read(".github/workflows/w.yml", text)
    assert word in str(error.value)
    assert str(error.value).startswith(".github/workflows/w.yml")


def test_a_workflow_without_a_name_goes_by_its_path() -> None:
    assert workflow(" push").name == ".github/workflows/w.yml"
    assert title("w.yml", "name: Broken\non: [") == "w.yml"
    assert title("w.yml", "name: Named\njobs: 3") == "Named"


@pytest.mark.parametrize(
    ("pattern", "takes", "leaves"),
    [
        ("feature/*", "feature/a", "feature/a/b"),
        ("feature/**", "feature/a/b", "features/a"),
        ("v[12].[0-9]+.[0-9]+", "v1.10.1", "v3.0.0"),
        ("v1.?", "v1.", "v1.x"),
        ("*.jsx?", "page.js", "page.jsxx"),
        ("**", "a/b/c", ""),
        ("v*+rke2r*", "v1.30.1+rke2r1", "x"),
        (r"v1.30\+rke2r\*", "v1.30+rke2r*", "v1.30+rke2r1"),
        ("a|b", "a|b", "a"),
        ("v1[", "v1[", "v1"),
    ],
)
def test_a_pattern_takes_what_github_documents(pattern: str, takes: str, leaves: str) -> None:
    assert Filter((pattern,)).takes(takes)
    assert not leaves or not Filter((pattern,)).takes(leaves)
    assert not Filter(ignore=(pattern,)).takes(takes)


def test_the_last_pattern_that_fits_decides() -> None:
    some = Filter(("releases/**", "!releases/**-alpha", "releases/keep-alpha"))
    assert [some.takes(name) for name in ("releases/10", "releases/10-alpha", "releases/keep-alpha", "main")] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("on", "branch", "tag"),
    [
        (" push", True, True),
        (" [push, release]", True, True),
        (" {push: {branches: [main]}}", True, False),
        (" {push: {branches: [other]}}", False, False),
        (" {push: {tags: [v*]}}", False, True),
        (" {push: {tags: [v*], branches: [main]}}", True, True),
        (" {push: {branches-ignore: [x]}}", True, False),
        (" {push: {tags-ignore: [v*]}}", False, False),
        (" {push: {paths: [docs/**]}}", False, True),
        (" {push: {paths: [src/**]}}", True, True),
        (" {push: {paths-ignore: [src/**]}}", False, True),
        (" {push: {paths-ignore: [docs/**]}}", True, True),
    ],
)
def test_a_push_starts_what_its_filters_take(on: str, branch: bool, tag: bool) -> None:
    push = workflow(on).on.push
    assert isinstance(push, Push)
    assert push.takes("refs/heads/main", ["src/a.py"]) is branch
    assert push.takes("refs/tags/v1", []) is tag
    assert not push.takes("refs/sluice/main")


def test_other_events_start_it_by_their_type() -> None:
    on = workflow(" {repository_dispatch: {types: [upstream]}, workflow_dispatch: null, release: null}").on
    assert on.push is None
    assert on.takes("repository_dispatch", "upstream")
    assert not on.takes("repository_dispatch", "other")
    assert on.takes("workflow_dispatch")
    assert on.takes("release", "anything")
    assert not workflow(" push").on.takes("workflow_dispatch")


def test_a_matrix_is_expanded_as_github_documents_it() -> None:
    documented = {
        "fruit": ["apple", "pear"],
        "animal": ["cat", "dog"],
        "include": [
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ],
    }
    assert combinations(documented) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    assert combinations({"a": [1, 2], "b": [3, 4], "exclude": [{"a": 1, "b": 3}, {"a": 2}]}) == [{"a": 1, "b": 4}]
    assert combinations({"include": [{"x": 1}, {"x": 2}]}) == [{"x": 1}, {"x": 2}]


@pytest.mark.parametrize(
    ("matrix", "word"),
    [
        ([1], "a mapping"),
        ({"a": []}, "'a' does not contain any values"),
        ({"a": "x"}, "'a' does not contain any values"),
        ({"a": [1], "exclude": [{"a": 1}]}, "does not contain any values"),
        ({"a": list(range(257))}, "256 are allowed"),
        ({"include": "x"}, "a list of mappings"),
    ],
)
def test_a_matrix_that_makes_no_sense_is_refused(matrix: object, word: str) -> None:
    with pytest.raises(Invalid, match=word):
        combinations(matrix)


@given(st.text())
def test_any_text_is_read_or_refused_and_never_breaks_the_reader(text: str) -> None:
    with pytest.raises(Invalid, match=r"^w\.yml"):
        read("w.yml", text)
