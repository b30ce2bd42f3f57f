"""Rules: each says what it says, and [rules], waivers and what is out already decide what comes of that."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from release.core.aim import Aim, History, Observation
from release.core.claims import Hidden, claims
from release.core.config import Config
from release.core.conflicts import ALL, RULES, Around, Proposal, judge, looked_at, misused, severity
from release.core.fleet_status import Seen
from release.core.model import Commit, Head, Person, Refs, Release, Waiver
from release.core.record import Broken, Record, State
from release.core.span import ranges
from release.core.version import Version, scheme

ROOT = Path(__file__).parent.parent.parent
WHO = Person("Captain", "captain@example.org")
NOW = "2026-01-02T03:04:05+00:00"
BASE, OLD, OTHER = "b" * 40, "a" * 40, "c" * 40
# What tells a person that release.toml, or a command, was written wrong: no rule, and nobody can set it.
OF_CONFIGURATION = (
    "contradictions.py", "change_rules.py", "claim_rules.py", "forge_rules.py", "fleet_rules.py", "notation.py",
    "fleet_file.py", "graph_rules.py",
    "requires.py", "artifact_rules.py", "image_rules.py", "publish_rules.py", "update_rules.py", "sync_rules.py",
    "channel_rules.py", "point_rules.py", "health_rules.py", "kind_rules.py",
)  # fmt: skip


def proposal(
    version: str,
    tables: Mapping[str, Any] | None = None,
    *,
    tags: Mapping[str, str] | None = None,
    heads: Mapping[str, str] | None = None,
    head: Head | None = None,
    aimed: Mapping[str, Any] | None = None,
    files: Mapping[str, str | None] | None = None,
    records: tuple[Record, ...] = (),
    broken: tuple[Broken, ...] = (),
    changed: bool = True,
    fragments: tuple[str, ...] = (),
    around: Around | None = None,
) -> Proposal:
    """A version on the head of main, with one commit of its own; v1.0.0 is what came before."""
    config = msgspec.convert(tables or {}, Config, strict=True)
    rules = scheme(config.version, config.project.name)
    known = {rules.tag(made(rules, "1.0.0")): OLD} if tags is None else tags
    refs = Refs(heads or {"main": BASE}, known, {})
    seen = Observation(NOW, WHO, "https://example.org/up.git", head or Head(BASE, "main"), refs, records, broken=broken)
    place = Aim(**{"branch": "main", "base": BASE, **(aimed or {})})
    new = (Commit(BASE, (OLD,), WHO, NOW, "feat: a"),) if changed else ()
    history = History(BASE, frozenset(known), files or {}, commits=new, fragments=fragments)
    found = rules.parse(version)
    assert found is not None
    return Proposal(config, seen, place, history, ranges(config, seen, place, history), found, around or Around())


def made(rules: Any, text: str) -> Version:
    found = rules.parse(text) or rules.parse(text + "+r1")
    assert isinstance(found, Version)
    return found


def told(one: Proposal, **waivers: str) -> list[str]:
    """The names of errors and warnings, the latter with "?"."""
    judged = judge(one, tuple((name.replace("_", "-"), why) for name, why in waivers.items()))
    for conflict in (*judged.errors, *judged.warnings):
        assert conflict.why
        assert conflict.remedy
    return [*(one.rule for one in judged.errors), *(f"{one.rule}?" for one in judged.warnings)]


def asked(text: str) -> Version:
    found = scheme(Config().version).parse(text)
    assert found is not None
    return found


def record(text: str, outcome: Any) -> Record:
    line = ".".join(text.split(".")[:2])
    release = Release(
        version=text, tag=f"v{text}", line=line, kind="final", bump="minor", previous=None, branch="main", base=BASE,
        date=NOW, author=WHO,
    )  # fmt: skip
    return Record(line, "d" * 40, release, State(outcome=outcome, commit=OTHER, by=WHO, at=NOW))


# The table of contents


def test_every_conflict_in_the_package_is_a_known_rule_or_a_matter_of_the_configuration() -> None:
    known = {rule.name for rule in ALL}
    unknown = [
        (path.name, name)
        for path in sorted((ROOT / "release").rglob("*.py"))
        if path.name not in OF_CONFIGURATION
        for name in names_of(path)
        if name not in known
    ]
    assert unknown == []


def test_no_rule_is_listed_that_nothing_meets() -> None:
    met = {name for path in (ROOT / "release").rglob("*.py") for name in names_of(path)}
    assert {rule.name for rule in ALL} - met == set()


def names_of(path: Path) -> Iterator[str]:
    """The rules that a file's conflicts are of: literals, or a name that stands for some of the same file."""
    tree = ast.parse(path.read_text())
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if getattr(call.func, "id", "") == "Conflict" and call.args:
            first = call.args[0]
            yield from literals(tree, first.id) if isinstance(first, ast.Name) else [first.value]  # type: ignore[attr-defined]


def literals(tree: ast.Module, name: str) -> Iterator[str]:
    """What a name may stand for: what is assigned to it, or given as the first argument of a helper that hands it on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(getattr(one, "id", "") == name for one in node.targets):
            yield from (
                str(one.value) for one in ast.walk(node.value) if isinstance(one, ast.Constant) and is_name(one.value)
            )
        if isinstance(node, ast.FunctionDef) and node.args.args and node.args.args[0].arg == name:
            yield from first_arguments(tree, node.name)


def first_arguments(tree: ast.Module, function: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == function:
            yield node.args[0].value  # type: ignore[attr-defined]


def is_name(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z]+(-[a-z]+)+", value) is not None


def test_names_are_in_kebab_case_and_each_is_there_once() -> None:
    names = [rule.name for rule in ALL]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []
    assert all(rule.check is not None for rule in RULES)


def test_the_documentation_lists_exactly_these_rules() -> None:
    text = (ROOT / "docs" / "rules.md").read_text()
    rows = [line for line in text.split("\n") if re.match(r"\| `[a-z-]+` \|", line)]
    expected = [
        f"| `{rule.name}` | {'always' if rule.safety else rule.severity} | {cell(rule.summary)} | {cell(rule.remedy)} |"
        for rule in RULES
    ]
    expected += [
        f"| `{rule.name}` | {rule.where} | {cell(rule.summary)} | {cell(rule.remedy)} |" for rule in ALL[len(RULES) :]
    ]
    assert rows == expected


def cell(text: str) -> str:
    """Markdown takes <, | and _ for its own."""
    return text.replace("|", "\\|")


# What comes of a conflict


def test_nothing_stands_against_a_sound_proposal() -> None:
    assert told(proposal("1.1.0")) == []


def test_a_rule_is_an_error_a_warning_or_nothing_as_the_configuration_has_it() -> None:
    assert told(proposal("0.9.0")) == ["backward"]
    assert told(proposal("0.9.0", {"rules": {"backward": "warn"}})) == ["backward?"]
    assert told(proposal("0.9.0", {"rules": {"backward": "off"}})) == []
    behind = Head(OLD, "main")
    assert told(proposal("1.1.0", head=behind)) == ["behind?"]
    assert told(proposal("1.1.0", {"rules": {"behind": "error"}}, head=behind)) == ["behind"]


def test_a_waiver_is_kept_only_where_it_was_needed() -> None:
    judged = judge(proposal("0.9.0"), (("backward", "a late fix"), ("wrong-line", "in case")))
    assert judged.errors == ()
    assert judged.waived == (Waiver("backward", "a late fix", "Captain <captain@example.org>"),)
    warned = judge(proposal("0.9.0", {"rules": {"backward": "warn"}}), (("backward", "a late fix"),))
    assert (warned.waived, [one.rule for one in warned.warnings]) == ((), ["backward"])


def test_safety_rules_stay() -> None:
    gone = (record("1.1.0", "abandoned"),)
    assert told(proposal("1.1.0", records=gone), burned="please") == ["fixed-rule", "burned"]
    set_off = msgspec.structs.replace(Config(), rules={"burned": "off"})
    one = msgspec.structs.replace(proposal("1.1.0", records=gone), config=set_off)
    assert told(one) == ["burned"]
    assert {severity(rule, set_off) for rule in ALL if rule.safety} == {"error"}
    safe = {rule.name for rule in ALL if rule.safety}
    assert {"tag-elsewhere", "burned", "unfinished", "record-unreadable", "incomplete-clone", "begun-elsewhere"} <= safe


def test_a_waiver_names_a_rule_that_can_be_set_aside_and_says_why() -> None:
    found = list(misused((("backwards", "x"), ("burned", "x"), ("backward", " "), ("untested", "x"), ("zzz", "x"))))
    assert [one.rule for one in found] == ["unknown-rule", "fixed-rule", "no-reason", "unknown-rule"]
    assert found[0].remedy == "did you mean backward?"
    assert "invoke release.rules" in found[3].remedy


def test_of_a_release_that_others_see_already_only_safety_can_refuse_anything() -> None:
    pinned = {"pinned": True, "version": asked("1.1.0")}
    tables = {"version": {"file": [{"path": "v.txt", "pattern": "(?P<value>.+)"}]}}
    tagged = {"v1.0.0": OLD, "v1.1.0": BASE}
    here: Any = {"aimed": pinned, "files": {"v.txt": "1.0.9"}, "tags": tagged}
    assert told(proposal("1.1.0", tables, **here)) == ["version-file"]
    assert told(proposal("1.1.0", tables, around=Around(out=("first",)), **here)) == ["version-file?"]
    moved = Around(local={"v1.1.0": OTHER}, out=("first",))
    assert told(proposal("1.1.0", tables, around=moved, **here)) == ["tag-elsewhere", "version-file?"]


def test_a_tag_is_not_refused_while_it_cannot_be_seen_whether_its_downstreams_have_it() -> None:
    tables: dict[str, Any] = {
        "version": {"file": [{"path": "v.txt", "pattern": "(?P<value>.+)"}]},
        "downstream": [
            {"name": "charts", "repository": "../charts.git"},
            {"name": "tests", "repository": "../tests.git", "when": "candidate"},
        ],
    }
    here: Any = {
        "aimed": {"pinned": True, "version": asked("1.1.0")},
        "files": {"v.txt": "1.0.9"},
        "tags": {"v1.0.0": OLD, "v1.1.0": BASE},
    }
    dark = {"charts": Seen(None, "no route\x1b[2J")}
    (conflict,) = judge(proposal("1.1.0", tables, around=Around(components=dark), **here)).errors
    assert (conflict.rule, "\x1b" in conflict.why) == ("component-unseen", False)
    assert conflict.why.startswith("the tags of charts could not be seen, and v1.1.0 may be out there: no route")
    assert told(proposal("1.1.0", tables, around=Around(components={"charts": Seen({})}), **here)) == ["version-file"]
    assert told(proposal("1.1.0", tables, around=Around(components=dark, out=("x",)), **here)) == ["version-file?"]
    # What can never be right is refused all the same, and where nothing is wrong nothing is in doubt.
    moved = Around(components=dark, local={"v1.1.0": OTHER})
    assert told(proposal("1.1.0", tables, around=moved, **here)) == ["tag-elsewhere", "component-unseen"]
    right = {**here, "files": {"v.txt": "1.1.0"}}
    assert told(proposal("1.1.0", tables, around=Around(components=dark), **right)) == []
    # Who decides to go by what can be seen is told that.
    one = proposal("1.1.0", tables, around=Around(components=dark), **here)
    assert told(one, component_unseen="it is gone") == ["version-file"]
    assert told(one, version_file="a slip") == []
    off = {**tables, "rules": {"component-unseen": "off"}}
    assert told(proposal("1.1.0", off, around=Around(components=dark), **here)) == ["version-file"]


# Rule by rule


def test_a_tag_elsewhere() -> None:
    assert told(proposal("1.1.0", tags={"v1.0.0": OLD, "v1.1.0": OTHER})) == ["tag-elsewhere"]
    assert told(proposal("1.1.0", around=Around(local={"v1.1.0": OTHER}))) == ["tag-elsewhere"]
    assert told(proposal("1.1.0", around=Around(local={"v1.1.0": BASE}))) == []
    writing = {"commit": {"mode": "push"}, "changelog": {"file": "CHANGELOG.md"}}
    assert told(proposal("1.1.0", writing, around=Around(local={"v1.1.0": BASE}))) == ["tag-elsewhere"]
    assert told(proposal("1.1.0-rc.1", writing, around=Around(local={"v1.1.0-rc.1": BASE}))) == []
    tidying: Any = {"commit": {"mode": "push"}, "changes": {"sources": ["fragments"]}}
    here = Around(local={"v1.1.0": BASE})
    assert told(proposal("1.1.0", tidying, around=here, fragments=("changes.d/1.misc.md",))) == ["tag-elsewhere"]
    assert told(proposal("1.1.0", tidying, around=here, fragments=("changes.d/README.md",))) == []


@pytest.mark.parametrize(
    ("tags", "version", "expected"),
    [
        (["1.1.0"], "1.1.1", []),
        (["1.1.0", "1.1.5"], "1.1.4", ["backward"]),
        (["1.1.0", "1.1.1-rc.1"], "1.1.1", []),
        (["1.1.1"], "1.1.1-rc.1", ["backward"]),
        (["1.1.2-rc.1"], "1.1.1", ["backward"]),
        (["1.1.0+a"], "1.1.0+b", ["backward"]),
        (["2.0.0-rc.1"], "1.1.1", []),
        (["2.0.0"], "1.1.1", ["backward"]),
    ],
)
def test_a_version_is_above_its_line_and_above_the_finals_in_its_history(
    tags: list[str], version: str, expected: list[str]
) -> None:
    assert [
        name for name in told(proposal(version, tags={f"v{tag}": OLD for tag in tags})) if "?" not in name
    ] == expected


def test_a_version_that_is_asked_for_needs_a_change() -> None:
    want = {"version": asked("1.1.0")}
    assert told(proposal("1.1.0", aimed=want)) == []
    assert told(proposal("1.1.0", aimed=want, changed=False)) == ["nothing-changed"]
    assert told(proposal("1.1.0", aimed=want, changed=False, tags={})) == []
    assert told(proposal("1.1.0", aimed={"bump": "minor"}, changed=False)) == ["nothing-changed"]
    assert told(proposal("1.1.0", changed=False)) == []
    assert told(proposal("1.1.0", aimed=want, changed=False, tags={"v1.0.0": OLD, "v1.1.0-rc.1": BASE})) == []
    again = {"version": asked("1.1.0-rc.2"), "stage": "rc"}
    tags = {"v1.0.0": OLD, "v1.1.0-rc.1": BASE}
    assert told(proposal("1.1.0-rc.2", aimed=again, changed=False, tags=tags)) == ["nothing-changed"]


def test_branches_and_lines() -> None:
    heads = {"main": BASE, "release-1.1": OTHER}
    assert told(proposal("1.1.0", heads=heads)) == ["wrong-branch"]
    assert told(proposal("1.2.0", heads=heads)) == []
    on_line = {"branch": "release-1.1", "line": "1.1"}
    assert told(proposal("1.1.0", heads=heads, aimed=on_line)) == []
    assert told(proposal("1.2.0", heads=heads, aimed=on_line)) == ["wrong-line"]
    assert told(proposal("1.2.0", aimed={"branch": "feature"})) == ["branch"]


VERSIONED = {"file": [{"path": "VERSION", "pattern": "(?P<value>.+)"}]}


@pytest.mark.parametrize(
    ("version", "tables", "changed", "expected"),
    [
        ("1.1.0", {"version": VERSIONED}, "VERSION", True),
        ("1.1.0-rc.1", {"version": VERSIONED}, "VERSION", True),
        ("1.1.0", {"version": {**VERSIONED, "source": "file"}}, "VERSION", False),
        ("1.1.0", {"version": VERSIONED, "commit": {"mode": "none"}}, "VERSION", False),
        ("1.1.0", {"changelog": {"file": "docs/NEWS.md"}}, "docs/NEWS.md", True),
        ("1.1.0-rc.1", {"changelog": {"file": "docs/NEWS.md"}}, "docs/NEWS.md", False),
        ("1.1.0", {"changelog": {"file": "docs/NEWS.md"}}, "docs/", True),
        ("1.1.0", {"changelog": {"file": "docs/NEWS.md"}}, "doc/", False),
        ("1.1.0", {"changelog": {"file": "docs/NEWS.md"}}, "docs/other.md", False),
        ("1.1.0", {"changelog": {"file": "docs/NEWS.md"}}, "docs", False),
        ("1.1.0", {"changes": {"sources": ["fragments"]}}, "changes.d/1.feature.md", True),
        ("1.1.0", {"changes": {"sources": ["fragments"]}}, "changes.d/2.feature.md", False),
        ("1.1.0", {"changes": {"sources": ["fragments"]}}, "changes.d/README.md", False),
        ("1.1.0-rc.1", {"changes": {"sources": ["fragments"]}}, "changes.d/1.feature.md", False),
        ("1.1.0", {}, "changes.d/1.feature.md", False),
    ],
)
def test_only_what_the_release_commit_writes_must_be_as_it_was_committed(
    version: str, tables: dict[str, Any], changed: str, expected: bool
) -> None:
    there: Any = {
        "files": {"VERSION": version},
        "fragments": ("changes.d/1.feature.md", "changes.d/README.md"),
        "head": Head(BASE, "main", dirty=("app.py", changed)),
    }
    one = proposal(version, {"commit": {"mode": "push"}, **tables}, **there)
    assert told(one) == (["dirty"] if expected else [])
    pinned = {"pinned": True, "version": asked(version)}
    assert told(proposal(version, {"commit": {"mode": "push"}, **tables}, aimed=pinned, **there)) == []


def test_all_that_is_half_written_is_told_at_once_for_a_terminal() -> None:
    tables = {"version": VERSIONED, "changelog": {"file": "docs/NEWS.md"}, "commit": {"mode": "push"}}
    (conflict,) = judge(proposal("1.1.0", tables, head=Head(BASE, "main", dirty=("docs/", "VERSION")))).errors
    assert conflict.why.startswith("VERSION, docs/ have changes that are not committed")


def test_a_tag_that_is_there_is_in_the_history_of_its_branch() -> None:
    pinned: Any = {"aimed": {"pinned": True, "version": asked("1.1.0")}, "tags": {"v1.1.0": BASE}}
    assert told(proposal("1.1.0", around=Around(holds={"main": False}), **pinned)) == ["branch"]
    assert told(proposal("1.1.0", around=Around(holds={"main": False, "master": True}), **pinned)) == []
    assert told(proposal("1.1.0", **pinned)) == []


def test_a_tag_of_a_line_without_a_branch_is_told_which_one_it_lacks() -> None:
    pinned: Any = {"aimed": {"pinned": True, "version": asked("1.1.0")}, "tags": {"v1.1.0": BASE}}
    lines = {"version": {"branches": ["release-{line}"]}}
    (conflict,) = judge(proposal("1.1.0", lines, around=Around(holds={}), **pinned)).errors
    assert (conflict.rule, conflict.why) == ("branch", f"v1.1.0 is on {BASE[:10]}, and line 1.1 has no branch")
    assert "push release-1.1 (" in conflict.remedy
    assert told(proposal("1.1.0", lines, **pinned)) == []


def test_candidates_come_before_a_final_where_the_project_says_so() -> None:
    tested = {"version": {"final_from_candidate": True}}
    at, off = {"v1.0.0": OLD, "v1.1.0-rc.1": BASE}, {"v1.0.0": OLD, "v1.1.0-rc.1": OTHER}
    assert told(proposal("1.1.0", tested, tags=at)) == []
    assert told(proposal("1.1.0", tested, tags=off)) == ["candidate-elsewhere"]
    assert told(proposal("1.1.0", tested)) == ["no-candidate"]
    assert told(proposal("1.1.0-rc.1", tested)) == []
    assert told(proposal("1.1.0", tags=off)) == ["untested?"]
    assert told(proposal("1.1.0", tags=at)) == []
    assert told(proposal("1.1.0", tags={**off, "v1.1.0-rc.2": BASE})) == []


def test_two_versions_share_an_image_tag_only_where_there_are_images() -> None:
    tags = {"v1.1.0-r1": OLD}
    images = {"image": [{"name": "owner/app"}]}
    free = dict.fromkeys(claims(msgspec.convert(images, Config), "1.1", "final", values("1.1.0+r1")), "")
    around = Around(taken=free)
    assert told(proposal("1.1.0+r1", images, tags=tags, around=around)) == ["image-tag-shared", "untested?"]
    assert told(proposal("1.1.0+r1", tags=tags)) == ["untested?"]
    other = dict.fromkeys(claims(msgspec.convert(images, Config), "1.1", "final", values("1.1.0+r2")), "")
    assert told(proposal("1.1.0+r2", images, tags=tags, around=Around(taken=other))) == ["untested?"]


def values(version: str) -> dict[str, str]:
    return proposal(version).values


def test_what_is_claimed_is_free_taken_or_unseen() -> None:
    tables = {"image": [{"name": "owner/app"}], "package": [{"name": "app"}]}
    image, package = claims(msgspec.convert(tables, Config), "1.1", "final", values("1.1.0"))
    free = Around(taken={image: "", package: ""})
    assert told(proposal("1.1.0", tables, around=free)) == []
    there = Around(taken={image: "sha256:1", package: "1.1.0"})
    assert told(proposal("1.1.0", tables, around=there)) == ["image-taken", "package-taken"]
    hidden = Around(taken={image: Hidden("nobody answers", "wake it"), package: ""})
    assert told(proposal("1.1.0", tables, around=hidden)) == ["claim-unseen"]
    assert told(proposal("1.1.0", tables)) == ["claim-unseen", "claim-unseen"]
    pinned: Any = {"aimed": {"pinned": True, "version": asked("1.1.0")}, "tags": {"v1.1.0": BASE}}
    assert told(proposal("1.1.0", tables, around=there, **pinned)) == []


def test_records_and_numbers_that_were_given_up() -> None:
    assert told(proposal("1.1.0", records=(record("1.1.0", "abandoned"),))) == ["burned"]
    assert told(proposal("1.1.1", records=(record("1.1.0", "abandoned"),))) == []
    assert told(proposal("1.1.1", records=(record("1.1.0", "begun"),))) == ["unfinished"]
    assert told(proposal("1.2.0", records=(record("1.1.0", "begun"),))) == []
    assert told(proposal("1.1.0", broken=(Broken("1.1", "no JSON"),))) == ["record-unreadable"]
    assert told(proposal("1.2.0", broken=(Broken("1.1", "no JSON"),))) == []
    pinned: Any = {"aimed": {"pinned": True, "version": asked("1.1.0")}, "tags": {"v1.1.0": BASE}}
    assert told(proposal("1.1.0", broken=(Broken("1.1", "no JSON"),), **pinned)) == ["record-unreadable"]
    assert told(proposal("1.1.0", broken=(Broken("1.2", "no JSON"),), **pinned)) == []


# The fleet

FLEET: dict[str, Any] = {
    "project": {"name": "rke2"},
    "downstream": [
        {"name": "rke2-upgrade", "repository": "../upgrade.git", "requires": {"k3s-selinux": ">=1.6"}},
        {"name": "charts", "repository": "../charts.git", "tag": "charts-{version}", "when": "final"},
    ],
    "component": [
        {"name": "k3s-selinux", "repository": "../selinux.git", "requires": {"policy": ">=3"}},
        {"name": "policy", "repository": "../policy.git"},
        {"name": "unused", "repository": "../unused.git"},
    ],
}


def fleet(**tags: Any) -> Around:
    return Around(components={name.replace("_", "-"): Seen(dict.fromkeys(known, OLD)) for name, known in tags.items()})


def test_the_shortest_chain_to_what_does_not_fit_is_shown() -> None:
    fine = fleet(k3s_selinux=["v1.6.0"], policy=["v3.0.0"])
    assert told(proposal("1.34.0", FLEET, around=fine)) == []
    old = fleet(k3s_selinux=["v1.5.0", "v1.6.0-rc.1"], policy=["v2.9.0"])
    judged = judge(proposal("1.34.0", FLEET, around=old))
    assert [one.why for one in judged.errors] == [
        "rke2 v1.34.0 -> rke2-upgrade needs k3s-selinux >=1.6, and its newest is v1.5.0",
        "rke2 v1.34.0 -> rke2-upgrade -> k3s-selinux v1.5.0 needs policy >=3, and its newest is v2.9.0",
    ]
    direct = {**FLEET, "project": {"name": "rke2", "requires": {"policy": ">=3.1"}}}
    judged = judge(proposal("1.34.0", direct, around=fine))
    assert [one.why for one in judged.errors] == ["rke2 v1.34.0 needs policy >=3.1, and its newest is v3.0.0"]
    none = judge(proposal("1.34.0", FLEET, around=fleet(k3s_selinux=["v1.6.0"], policy=["x"])))
    assert none.errors[0].why.endswith("needs policy >=3, and it has no final version yet")


def test_what_is_released_in_step_has_the_releases_own_version() -> None:
    up, charts = FLEET["downstream"]
    needing = {**FLEET, "downstream": [{**up, "requires": {"rke2": "<1.35", "charts": ">=1.34"}}, charts]}
    assert told(proposal("1.34.0", needing, around=fleet(charts=[]))) == []
    judged = judge(proposal("1.35.0", needing, around=fleet(charts=[])))
    assert judged.errors[0].why == "rke2 v1.35.0 -> rke2-upgrade needs rke2 <1.35, and this release is v1.35.0"
    # A candidate leaves the charts alone: what they have counts.
    assert told(proposal("1.34.1-rc.1", needing, around=fleet(charts=["charts-1.34.0"]))) == []
    assert told(proposal("1.34.1-rc.1", needing, around=fleet(charts=["charts-1.33.0"]))) == ["requires"]


def test_a_component_that_could_not_be_seen_is_not_taken_for_fitting() -> None:
    dark = Around(components={"k3s-selinux": Seen(None, "no route\x1b[2J"), "policy": Seen({"v3.0.0": OLD})})
    judged = judge(proposal("1.34.0", FLEET, around=dark))
    assert [one.rule for one in judged.errors] == ["component-unseen"]
    assert "no route" in judged.errors[0].why
    assert "\x1b" not in judged.errors[0].why
    assert told(proposal("1.34.0", FLEET)) == ["component-unseen", "component-unseen"]
    off = {**FLEET, "rules": {"requires": "off"}}
    assert told(proposal("1.34.0", off)) == []


def test_a_downstream_is_not_ahead_of_its_upstream() -> None:
    seen = {"k3s_selinux": ["v1.6.0"], "policy": ["v3.0.0"]}
    assert told(proposal("1.34.0", FLEET, around=fleet(charts=["charts-1.34.1"], **seen))) == ["downstream-ahead"]
    assert told(proposal("1.34.0", FLEET, around=fleet(charts=["charts-1.35.0", "v1.34.1"], **seen))) == []
    both = proposal(
        "1.34.1-rc.2", FLEET, tags={"v1.34.1": OLD}, around=fleet(rke2_upgrade=["v1.34.1", "v1.34.1-rc.1"], **seen)
    )
    assert told(both) == ["backward"]


def test_only_those_are_looked_at_that_a_rule_asks_about() -> None:
    def names(tables: Mapping[str, Any], version: str) -> list[str]:
        return [one.name for one in looked_at(msgspec.convert(tables, Config), asked(version))]

    assert names(FLEET, "1.34.0") == ["rke2-upgrade", "charts", "k3s-selinux", "policy"]
    assert names(FLEET, "1.34.0-rc.1") == ["rke2-upgrade", "k3s-selinux", "policy"]
    assert names({**FLEET, "rules": {"downstream-ahead": "off"}}, "1.34.0") == ["k3s-selinux", "policy"]
    assert names({**FLEET, "rules": {"requires": "off"}}, "1.34.0") == ["rke2-upgrade", "charts"]


def test_every_rule_names_its_conflicts_after_itself() -> None:
    """By their source: a check that gave another name would escape [rules] and --waive."""
    folder = ROOT / "release" / "core" / "conflicts"
    given: dict[str, set[str]] = {}
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text())
        for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            named = {
                call.args[0].value
                for call in calls
                if getattr(call.func, "id", "") == "Conflict" and isinstance(call.args[0], ast.Constant)
            }
            given[function.name] = {str(name) for name in named}
    for rule in RULES:
        assert rule.check is not None
        assert given[rule.check.__name__] <= {rule.name}, rule.name
