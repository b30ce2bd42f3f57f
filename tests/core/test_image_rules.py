"""What can say no in [[image]] tables, before a release looks at anything."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from release.core.config import Config
from release.core.contradictions import contradictions
from release.core.image_rules import image_contradictions

BUILT = {"name": "owner/tool", "file": "Dockerfile"}
WHOLE = {
    **BUILT,
    "context": "images/tool",
    "tag": "{image_tag}-slim",
    "platforms": ["linux/amd64", "linux/arm64", "linux/arm/v7"],
    "args": {"VERSION": "{version}", "FILE": "tool-{os}-{arch}"},
    "labels": {"org.example.line": "{line}", "maintainer": "somebody"},
    "secrets": {"npm.token": "env:NPM_TOKEN"},
    "builder": "buildah",
    "artifacts": ["tool-{arch}"],
}
TOOL = {"name": "tool-{arch}", "run": ["make"], "platforms": ["linux/amd64", "linux/arm64", "linux/arm/v7"]}


def config(*images: dict[str, Any], **tables: Any) -> Config:
    return msgspec.convert({"image": list(images), **tables}, Config, strict=True)


def told(**changes: Any) -> str:
    """The only thing that is wrong with an image that is changed so."""
    (conflict,) = image_contradictions(config({**BUILT, **changes}))
    assert conflict.remedy
    return f"{conflict.rule}: {conflict}"


def test_a_table_that_says_all_there_is_to_say_is_fine() -> None:
    assert contradictions(config(WHOLE, {"name": "owner/other"}, artifact=[TOOL])) == ()


@pytest.mark.parametrize("path", ["../Dockerfile", "/Dockerfile", "a/../b", ".git/config", "a//b", "~/x", "a\x1b[1m"])
@pytest.mark.parametrize("key", ["file", "context"])
def test_paths_stay_in_the_repository(key: str, path: str) -> None:
    assert told(**{key: path}).startswith(f"bad-path: image[0].{key} is ")


@pytest.mark.parametrize(
    ("changes", "starts"),
    [
        ({"context": ""}, "bad-path: image[0].context is ''"),
        ({"platforms": []}, "no-platform: image[0].platforms is empty"),
        ({"platforms": ["amd64"]}, "bad-platform: image[0].platforms has 'amd64'"),
        ({"platforms": ["linux/arm64", "linux/arm64/v8"]}, "duplicate-name: image[0].platforms has linux/arm64 twice"),
        ({"args": {"A-B": "x"}}, "bad-variable: image[0].args has 'A-B'"),
        ({"args": {"1A": "x"}}, "bad-variable: image[0].args has '1A'"),
        ({"args": {"TARGETARCH": "x"}}, "reserved-name: image[0].args has TARGETARCH"),
        ({"args": {"A": "{nobody}"}}, "unknown-name: image[0].args.A is '{nobody}'"),
        ({"args": {"A": "a\nb"}}, "bad-text: image[0].args.A holds control characters"),
        ({"labels": {"a b": "x"}}, "bad-label: image[0].labels has 'a b'"),
        ({"labels": {"": "x"}}, "bad-label: image[0].labels has ''"),
        ({"labels": {"a": "{arch}"}}, "unknown-name: image[0].labels.a is '{arch}'"),
        ({"artifacts": ["{nobody}"]}, "unknown-name: image[0].artifacts is '{nobody}'"),
        ({"artifacts": ["tool"]}, "no-such-artifact: image owner/tool needs 'tool', which no [[artifact]] makes"),
        ({"secrets": {"a b": "env:X"}}, "bad-name: image[0].secrets has 'a b'"),
        ({"secrets": {"a": "env:X"}, "builder": "embedded"}, 'unused: image[0] has secrets, and builder = "embedded"'),
        ({"registries": [], "tag": "a/{version}"}, "bad-image-tag: image owner/tool has the tag 'a/97.89.83'"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_told(changes: dict[str, Any], starts: str) -> None:
    assert told(**changes).startswith(starts)


@pytest.mark.parametrize("text", ["hunter2hunter2", "env:hunter 2", "file:/run/secrets/x", ":"])
def test_a_secret_is_named_and_what_stands_there_instead_is_not_repeated(text: str) -> None:
    said = told(secrets={"token": text})
    assert said.startswith("bad-secret: image[0].secrets.token does not name a variable")
    assert text == ":" or text not in said


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("context", "x"), ("platforms", ["linux/arm64"]), ("builder", "buildx"), ("args", {"A": "b"}),
        ("labels", {"a": "b"}), ("secrets", {"a": "env:B"}), ("artifacts", ["a"]),
    ],
)  # fmt: skip
def test_what_only_a_build_needs_is_of_no_use_without_a_file(key: str, value: Any) -> None:
    assert told(file="", **{key: value}).startswith(
        f"unused: image[0] has no file, so that it is not built here, and {key}"
    )


@pytest.mark.parametrize(
    ("change", "clash"),
    [
        ({}, True),
        ({"tag": "{image_tag}-slim"}, False),
        ({"name": "owner/other"}, False),
        ({"file": ""}, False),
        ({"lines": ["1.3"]}, True),
    ],
)
def test_one_name_and_tag_is_built_once(change: dict[str, Any], clash: bool) -> None:
    rules = [one.rule for one in image_contradictions(config(BUILT, {**BUILT, **change}))]
    assert rules == (["duplicate-name"] if clash else [])


def test_two_builds_that_no_release_selects_together_may_have_one_name() -> None:
    assert not list(image_contradictions(config({**BUILT, "when": "final"}, {**BUILT, "when": "candidate"})))


def test_an_artifact_has_to_be_made_in_every_release_that_needs_it() -> None:
    image = {**BUILT, "artifacts": ["tool-{arch}"], "platforms": ["linux/amd64"]}
    tool = {**TOOL, "platforms": ["linux/amd64"]}
    assert not list(image_contradictions(config(image, artifact=[tool])))
    (conflict,) = image_contradictions(config(image, artifact=[{**tool, "when": "candidate"}]))
    assert conflict.why.startswith("image owner/tool needs 'tool-amd64'")
    assert not list(
        image_contradictions(config({**image, "when": "candidate"}, artifact=[{**tool, "when": "candidate"}]))
    )
