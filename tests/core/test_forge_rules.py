"""Tables of a forge that cannot mean anything are told before the first look at the world, with the place and a remedy."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from release.core.config import Config
from release.core.contradictions import contradictions
from release.core.forge_rules import is_repository

HUB = {"name": "app", "forge": "github"}
GATE = {"name": "ci"}
ONE = {"name": "one", "repository": "acme/one"}
DISPATCHED = {**ONE, "trigger": "workflow_dispatch", "workflow": "release.yml"}


def told(**tables: Any) -> list[str]:
    """All that is said about a configuration."""
    return [str(one) for one in contradictions(msgspec.convert({"project": HUB, **tables}, Config, strict=True))]


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"project": {**HUB, "repository": "acme/app"}},
        {"downstream": [ONE, {**DISPATCHED, "name": "two", "repository": "acme/two", "after": ["one"], "required": False}]},
        {"downstream": [{**ONE, "trigger": "repository_dispatch"}]},
        {"downstream": [{**ONE, "trigger": "release", "workflow": "Release-2.yaml", "deadline": "2h", "starts_within": "0s"}]},
        {"downstream": [{**ONE, "after_assets": ["app-{arch}.tgz"], "assets": ["{version}.txt"], "platforms": ["linux/amd64"]}]},
        {"downstream": [{**DISPATCHED, "inputs": {f"a{n}": "{tag}" for n in range(25)}}]},
        {"downstream": [{**DISPATCHED, "trigger": "repository_dispatch", "event": "e" * 100}]},
        {"downstream": [{**ONE, "trigger": "release", "inputs": {"no dispatch carries this": ""}}]},
        {"downstream": [{**ONE, "repository": "a/.github", "name": "dots"}]},
        {"gate": [{**GATE, "kind": "checks"}, {"name": "qa", "kind": "approval", "environment": "a / b", "deadline": "3d"}]},
        {"gate": [{**GATE, "kind": "checks", "match": ["build (*)", "ci/*"]}]},
        {"gate": [{**GATE, "kind": "images", "list": "images.txt", "platforms": ["linux/amd64", "linux/arm/v7"]}]},
        {"project": {"name": "app"}, "gate": [{**GATE, "kind": "images", "list": "build/images.txt"}]},
        {"release": {"start": "tag", "workflow": "tag.yaml", "deadline": "90s"}},
        {"artifact": [{"name": "a_b-c.1+2.tgz", "run": ["make"]}]},
    ],
)  # fmt: skip
def test_what_means_one_thing_is_not_objected_to(tables: dict[str, Any]) -> None:
    assert told(**tables) == []


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"gate": [{**GATE, "kind": "checks"}]}, 'gate[0] is of kind checks, and project.forge is none; set project.forge = "github", or leave it out'),
        ({"gate": [{**GATE, "kind": "approval"}]}, 'gate[0] is of kind approval, and project.forge is none; set project.forge = "github", or leave it out'),
        ({"downstream": [{**ONE, "trigger": "release"}]}, 'downstream[0] has trigger = "release", and project.forge is none; set project.forge = "github", or leave it out'),
        (
            {"downstream": [{**ONE, "workflow": "a.yml", "assets": ["x"], "after_assets": ["y"]}]},
            'downstream[0] has workflow, after_assets, assets, and project.forge is none; set project.forge = "github", or leave it out',
        ),
    ],
)  # fmt: skip
def test_without_a_forge_nothing_of_one_can_be_asked_for(tables: dict[str, Any], message: str) -> None:
    assert told(project={"name": "app"}, **tables) == [message]


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("acme/app", True), ("a/b", True), ("a-b/.github", True), ("a/..b", True), ("A9/x_y.z-1", True),
        ("", False), ("acme", False), ("acme/", False), ("/app", False), ("a/b/c", False), ("a/..", False), ("a/.", False),
        ("-a/b", False), ("a_b/c", False), ("../app.git", False), ("https://github.com/acme/app", False), ("a/b\n", False),
        ("a b/c", False), ("a/b?x", False), ("a" * 40 + "/b", False), ("a/" + "b" * 101, False),
    ],
)  # fmt: skip
def test_a_repository_is_an_owner_and_a_name(text: str, good: bool) -> None:
    assert is_repository(text) is good
    message = f"downstream[0].repository is {text!r:.80}, and the forge is GitHub; write owner/name"
    assert (message in told(downstream=[{**ONE, "repository": text}])) is not good


def test_the_upstream_is_named_as_a_downstream_is() -> None:
    assert told(project={**HUB, "repository": "https://github.com/acme/app"}) == [
        "project.repository is 'https://github.com/acme/app', and the forge is GitHub; write owner/name"
    ]


def test_a_token_in_an_address_is_not_told_with_it() -> None:
    address = "https://x:ghp_abcdefghijkl@github.com/acme/app"
    for tables in ({"downstream": [{**ONE, "repository": address}]}, {"project": {**HUB, "repository": address}}):
        said = told(**tables)
        assert any("write owner/name" in one for one in said)
        assert all("ghp_abcdefghijkl" not in one for one in said)


@pytest.mark.parametrize("text", ["", "release", "a/release.yml", "../release.yml", ".release.yml", "-x.yml", "release.yml\n", "re lease.yml", "release.json", "12"])  # fmt: skip
def test_a_workflow_is_a_file_of_its_folder(text: str) -> None:
    remedy = "write the file's name in .github/workflows, as in release.yml"
    assert told(release={"workflow": text}) == [f"release.workflow is {text!r}; {remedy}"]
    if text:
        assert told(downstream=[{**ONE, "workflow": text}]) == [f"downstream[0].workflow is {text!r}; {remedy}"]


def test_a_workflow_dispatch_needs_a_workflow() -> None:
    assert told(downstream=[{**ONE, "trigger": "workflow_dispatch"}]) == [
        "downstream[0].trigger is workflow_dispatch, and it names no workflow; name its file"
    ]


@pytest.mark.parametrize(("trigger", "most"), [("workflow_dispatch", 25), ("repository_dispatch", 10)])
def test_a_dispatch_carries_only_so_much(trigger: str, most: int) -> None:
    one = {**DISPATCHED, "trigger": trigger}
    assert told(downstream=[{**one, "inputs": {f"a{n}": "" for n in range(most)}}]) == []
    assert told(downstream=[{**one, "inputs": {f"a{n}": "" for n in range(most + 1)}}]) == [
        f"downstream[0].inputs has {most + 1} entries, and a {trigger} takes {most}; leave some out"
    ]


@pytest.mark.parametrize("name", ["", "a b", "1a", "a.b", "-a", "a" * 101, "a\n", "é"])
def test_an_inputs_name_is_a_word(name: str) -> None:
    assert told(downstream=[{**DISPATCHED, "inputs": {name: "x"}}]) == [
        f"downstream[0].inputs has {name!r:.80}; use letters, digits, _ and -"
    ]


@pytest.mark.parametrize("event", ["", "e" * 101, "a\nb", "\x1b[31m"])
def test_an_event_is_one_to_a_hundred_characters_that_print(event: str) -> None:
    assert told(downstream=[{**ONE, "trigger": "repository_dispatch", "event": event}]) == [
        f"downstream[0].event is {event!r:.80}; write 1 to 100 characters"
    ]


@pytest.mark.parametrize("text", ["5", "m", "-5m", "1.5h", "5 m", "1w", "5M", "٣s", "9999999s", "1h30m"])
@pytest.mark.parametrize("place", ["deadline", "starts_within"])
def test_a_duration_is_a_number_and_a_unit(text: str, place: str) -> None:
    assert told(downstream=[{**ONE, place: text}]) == [
        f'downstream[0].{place} is {text!r}, which is no duration; write it like "90s", "45m" or "2h"'
    ]


def test_durations_of_gates_and_of_the_release_are_looked_at_too() -> None:
    like = 'which is no duration; write it like "90s", "45m" or "2h"'
    assert told(gate=[{**GATE, "kind": "checks", "deadline": "soon"}]) == [f"gate[0].deadline is 'soon', {like}"]
    (said,) = told(release={"deadline": ""})
    assert "release.deadline" in said
    assert told(downstream=[{**ONE, "starts_within": ""}]) == [f"downstream[0].starts_within is '', {like}"]


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ({"kind": "checks", "run": ["make"]}, "gate[0].run is of no use in a gate of kind checks; leave it out"),
        ({"kind": "approval", "run": ["make"]}, "gate[0].run is of no use in a gate of kind approval; leave it out"),
        ({"run": ["make"], "match": ["x"]}, "gate[0].match is of no use in a gate of kind command; leave it out"),
        ({"kind": "approval", "match": ["x"]}, "gate[0].match is of no use in a gate of kind approval; leave it out"),
        ({"run": ["make"], "environment": "qa"}, "gate[0].environment is of no use in a gate of kind command; leave it out"),
        ({"kind": "checks", "environment": "qa"}, "gate[0].environment is of no use in a gate of kind checks; leave it out"),
        ({"kind": "checks", "match": ["ok", ""]}, "gate[0] has a name that is empty or not printable; write the name as GitHub shows it"),
        ({"kind": "approval", "environment": "q\ta"}, "gate[0] has a name that is empty or not printable; write the name as GitHub shows it"),
    ],
)  # fmt: skip
def test_a_gate_has_only_what_its_kind_makes_use_of(gate: dict[str, Any], message: str) -> None:
    assert told(gate=[{**GATE, **gate}]) == [message]


@pytest.mark.parametrize("place", ["assets", "after_assets"])
@pytest.mark.parametrize("name", ["", "a/b", "../x", "a\nb", "\x1b"])
def test_an_assets_name_is_one_name(place: str, name: str) -> None:
    said = told(downstream=[{**ONE, place: [name]}])
    assert f"downstream[0].{place} holds what cannot be an asset's name; write the names of assets" in said


@pytest.mark.parametrize("name", ["a~b.tgz", "tool."])
def test_an_artifact_that_the_forge_would_rename_is_told(name: str) -> None:
    artifact = {"name": name, "run": ["make"]}
    said = [f"artifact[0].name is {name!r}, and GitHub would give such an asset another name; use letters, digits and ._+-, and do not end with a full stop"]  # fmt: skip
    assert told(artifact=[artifact]) == said
    assert told(project={"name": "app"}, artifact=[artifact]) == []


def test_everything_that_is_wrong_is_told_at_once() -> None:
    said = told(
        gate=[{**GATE, "kind": "checks", "run": ["x"], "deadline": "x"}],
        downstream=[{**DISPATCHED, "repository": "x", "workflow": "x", "inputs": {"a b": ""}, "deadline": "x"}],
    )
    assert len(said) == 6


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ({"kind": "images"}, "gate[0] is of kind images, and has no list; name the file with the images, one a line"),
        (
            {"kind": "images", "list": "a", "platforms": ["linux"]},
            "gate[0].platforms has 'linux'; write os/arch or os/arch/variant, as in \"linux/arm64\"",
        ),
        *(
            ({"kind": "images", "list": "a", key: value}, f"gate[0].{key} is of no use in a gate of kind images; leave it out")
            for key, value in {"run": ["make"], "match": ["ci"], "environment": "qa"}.items()
        ),
        *(
            ({**of, key: value}, f"gate[0].{key} is of no use in a gate of kind {of['kind']}; leave it out")
            for key, value in {"list": "a", "platforms": ["linux/amd64"]}.items()
            for of in ({"kind": "command", "run": ["make"]}, {"kind": "checks"}, {"kind": "approval"})
        ),
    ],
)  # fmt: skip
def test_a_list_of_images_belongs_to_a_gate_of_that_kind(gate: dict[str, Any], message: str) -> None:
    assert told(gate=[{**GATE, **gate}]) == [message]


@pytest.mark.parametrize("path", ["/etc/passwd", "../images.txt", "a/../../b", "a\n"])
def test_a_list_of_images_is_a_file_of_the_repository(path: str) -> None:
    (only,) = told(gate=[{**GATE, "kind": "images", "list": path}])
    assert only.startswith("gate[0].list is ")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"trigger": "local"}, ""),
        ({"trigger": "sync"}, ""),
        ({"trigger": "local", "run": ["make", "release", "V={version}"]}, ""),
        ({"trigger": "local", "run": []}, 'downstream[0].run is empty; write a program and its arguments, as in ["nox", "-s", "x"]'),
        ({"trigger": "sync", "run": ["make"]}, "downstream[0].run is of no use with trigger = 'sync'; leave it out, or set trigger = \"local\""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("forge", ["none", "github"])
def test_a_component_that_releases_itself_needs_no_forge_and_only_it_has_a_command(
    forge: str, more: dict[str, Any], message: str
) -> None:
    said = told(project={**HUB, "forge": forge}, downstream=[{**ONE, **more}])
    assert said == ([message] if message else [])


def test_a_command_says_only_what_is_known_of_a_release() -> None:
    (only,) = told(downstream=[{**ONE, "trigger": "local", "run": ["make", "{arch}"]}])
    assert only.startswith("downstream[0].run ")
