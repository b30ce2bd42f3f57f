"""A fleet out of several files: whose addresses are relative to what, what names must not clash, and what is refused of others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from release.core.config import Config, Downstream, FleetFile, Include
from release.core.contradictions import contradictions
from release.core.finding import Conflict
from release.core.fleet import resolved
from release.core.fleet_file import Part, Whole, alone, beside, include_conflicts, merged, own_parts, part, placed

WHERE = "release.toml of a (../a.git at main)"


def table(name: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, "repository": f"../{name}.git", **keys}


def config(**tables: Any) -> Config:
    return msgspec.convert({"project": {"name": "up", "fleet": "fleet.toml"}, **tables}, Config, strict=True)


def theirs(**tables: Any) -> Config:
    return msgspec.convert(tables, Config, strict=True)


def included(
    *, of: str = "../a.git", forge: str = "none", path: str = "", **tables: Any
) -> Part | tuple[Conflict, ...]:
    return part(Include("a", path), Downstream("a", of), theirs(**tables), WHERE, forge)


def whole(own: Config, file: dict[str, Any], **tables: Any) -> Whole | tuple[Conflict, ...]:
    parts = [*own_parts(own, msgspec.convert(file, FleetFile))]
    if tables:
        found = included(**tables)
        assert isinstance(found, Part), found
        parts.append(found)
    return merged(own, parts)


def sound(found: Whole | tuple[Conflict, ...]) -> Config:
    assert isinstance(found, Whole), found
    return found.config


def test_a_fleet_out_of_three_files_is_one() -> None:
    own = config(downstream=[table("a", tag="a-{tag}")])
    file = {"downstream": [table("b", after=["c"])], "component": [table("lib")]}
    found = sound(whole(own, file, downstream=[table("c", tag="{tag}-c"), table("d", of="c")]))
    assert [(one.name, one.of) for one in found.downstream] == [("a", ""), ("b", ""), ("c", "a"), ("d", "c")]
    assert not contradictions(resolved(found))
    assert resolved(found).downstream[3].after == ("c",)
    assert resolved(found).downstream[2].tag == "a-{tag}-c"


def test_what_a_component_needs_by_its_own_file_it_needs_here_and_knows_itself_by_the_name_that_it_has_here() -> None:
    own = config(downstream=[table("a", requires={"lib": ">=1"})], component=[table("lib")])
    needs = {"project": {"name": "alpha", "requires": {"lib": "<3", "c": ">=1"}}}
    found = sound(whole(own, {}, **needs, downstream=[table("c", requires={"lib": "!=2"}), table("d", requires={"alpha": ">=1"})]))  # fmt: skip
    assert found.downstream[0].requires == {"lib": ">=1, <3", "c": ">=1"}
    assert [one.requires for one in found.downstream[1:]] == [{"lib": "!=2"}, {"a": ">=1"}]


@pytest.mark.parametrize(
    ("repository", "parent", "found"),
    [
        ("../b.git", "../a.git", "../b.git"),
        ("../b.git", "../group/a.git", "../group/b.git"),
        ("../../b.git", "../group/a.git", "../b.git"),
        ("../b.git", "./sub/a.git", "./sub/b.git"),
        ("../b.git", "https://example.org/x/a.git", "https://example.org/x/b.git"),
        ("../b.git", "git@example.org:x/a.git", "git@example.org:x/b.git"),
        ("https://example.org/b.git", "../a.git", "https://example.org/b.git"),
        ("acme/b", "acme/a", "acme/b"),
    ],
)
def test_an_address_of_an_included_file_is_relative_to_its_own_repository(
    repository: str, parent: str, found: str
) -> None:
    assert beside(repository, parent) == found
    brought = included(of=parent, forge="github", downstream=[{"name": "b", "repository": repository}])
    assert isinstance(brought, Part)
    assert brought.downstream[0].repository == found


@pytest.mark.parametrize(
    ("own", "file", "tables", "clash"),
    [
        ([table("x")], {"downstream": [table("x")]}, {}, "release.toml and fleet.toml both have one named 'x'"),
        ([table("a")], {}, {"downstream": [{**table("a"), "repository": "../z.git"}]}, f"release.toml and {WHERE} both have one named 'a'"),
        ([], {"downstream": [table("a")]}, {"component": [{**table("a"), "repository": "../z.git"}]}, f"fleet.toml and {WHERE} both"),
        ([], {"component": [table("l")]}, {"component": [table("l", tag="{version}")]}, f"fleet.toml and {WHERE} both"),
    ],
)  # fmt: skip
def test_a_name_that_two_files_have_is_told_with_both(
    own: list[Any], file: dict[str, Any], tables: dict[str, Any], clash: str
) -> None:
    found = whole(config(downstream=own), file, **tables)
    assert isinstance(found, tuple)
    assert [conflict.rule for conflict in found] == ["duplicate-name"]
    assert found[0].why.startswith(clash)


def test_files_that_include_each_other_are_told_as_the_ring_that_they_are() -> None:
    own = config(downstream=[table("x"), table("a"), table("b", of="a")])
    for brought, ring in (("a", "a -> b -> a (a of b, b of a)"), ("b", "b -> b (b of b)")):
        back = part(Include("b"), own.downstream[2], theirs(downstream=[table(brought)]), "the file of b", "none")
        assert isinstance(back, Part)
        found = merged(own, [*own_parts(own, FleetFile()), back])
        assert isinstance(found, tuple)
        assert [conflict.rule for conflict in found] == ["cycle"]
        assert found[0].why == f"downstreams wait for each other: {ring}, as the file of b has {brought}"


def test_a_component_that_two_files_mean_alike_is_one_and_our_project_is_nobodys_component() -> None:
    own = config(downstream=[table("a"), table("b")], component=[table("lib")])
    found = sound(whole(own, {}, component=[table("lib"), table("b"), table("up"), table("other")]))
    assert [one.name for one in found.component] == ["lib", "other"]


@pytest.mark.parametrize(
    ("tables", "rule"),
    [
        ({"downstream": [table("b", trigger="local")]}, "include-runs"),
        ({"downstream": [{"name": "b", "repository": "/home/me/private.git"}]}, "include-path"),
        ({"downstream": [{"name": "b", "repository": "FILE:///home/me/private.git"}]}, "include-path"),
        ({"component": [{"name": "b", "repository": "sub/private.git"}]}, "include-path"),
        ({"project": {"fleet": "more.toml"}}, "include-nested"),
    ],
)
def test_what_others_wrote_runs_nothing_here_and_names_no_folder_of_this_machine(
    tables: dict[str, Any], rule: str
) -> None:
    found = included(**tables)
    assert isinstance(found, tuple)
    assert [conflict.rule for conflict in found] == [rule]
    assert found[0].why.startswith(WHERE)


def test_a_checkout_that_lies_here_may_name_folders_beside_it() -> None:
    assert isinstance(included(path="../a", downstream=[{"name": "b", "repository": "/srv/b.git"}]), Part)


def test_a_contradiction_is_told_with_its_place_in_the_file_that_has_it() -> None:
    own = config(downstream=[table("a")])
    bad = table("b", branch="..")
    found = whole(own, {"downstream": [table("x", branch="..")]}, downstream=[table("c"), bad])
    assert isinstance(found, Whole)
    told = [placed(conflict, found.places).why for conflict in contradictions(resolved(found.config))]
    assert told == ["fleet.toml: downstream[0].branch is '..'", f"{WHERE}: downstream[1].branch is '..'"]


def test_includes_are_judged_before_one_is_read() -> None:
    includes = [Include("a"), Include("a", file="../x"), Include("b", path="\n")]
    assert [one.rule for one in include_conflicts("fleet.toml", includes)] == ["bad-path", "duplicate-name", "bad-path"]


def test_without_its_fleet_a_configuration_asks_for_nothing_of_it() -> None:
    own = config(downstream=[table("a", after=["far-away"])], component=[table("lib", requires={"nobody": "x"})])
    own = msgspec.structs.replace(own, project=msgspec.structs.replace(own.project, requires={"who": ">=1"}))
    assert contradictions(own)
    assert not contradictions(alone(own))
