"""What a release makes: every template of its tables filled in."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from release.core.config import Artifact, Attest, Image, Package, Publish
from release.core.making import artifacts, attest, distributions, images, of_platform, package, publisher
from release.core.model import ArtifactWish, ImagePart
from release.core.reference import Reference

VALUES = {"version": "1.2.0", "tag": "v1.2.0", "image_tag": "v1.2.0", "line": "1.2"}


@pytest.mark.parametrize(
    ("platform", "os", "arch"),
    [("linux/amd64", "linux", "amd64"), ("linux/arm/v7", "linux", "arm-v7"), ("", "", "")],
)
def test_a_platform_has_a_system_and_an_architecture_that_fit_a_file_name(platform: str, os: str, arch: str) -> None:
    assert of_platform(platform) == {"platform": platform, "os": os, "arch": arch}


def test_a_build_is_wished_once_a_platform_and_without_platforms_once() -> None:
    table = Artifact(
        "app-{os}-{arch}-{version}",
        run=("make", "{platform}"),
        path="out/{arch}",
        platforms=("linux/amd64", "linux/arm/v7"),
    )
    assert artifacts(table, VALUES) == [
        ArtifactWish("app-linux-amd64-1.2.0", ("make", "linux/amd64"), "linux/amd64", "out/amd64"),
        ArtifactWish("app-linux-arm-v7-1.2.0", ("make", "linux/arm/v7"), "linux/arm/v7", "out/arm-v7"),
    ]
    (one,) = artifacts(Artifact("app-{version}", run=("make",)), VALUES)
    assert (one.platform, one.makes) == ("", ("app-1.2.0",))


def test_an_archive_says_what_it_holds() -> None:
    table = Artifact(
        "app-{version}.tar.gz", kind="archive", include=("docs",), artifacts=("app-{version}",), folder="app-{version}"
    )
    (wish,) = artifacts(table, VALUES)
    assert (wish.kind, wish.include, wish.artifacts, wish.folder) == ("archive", ("docs",), ("app-1.2.0",), "app-1.2.0")
    assert wish.makes == ("app-1.2.0.tar.gz",)


@pytest.mark.parametrize("name", ["tool", "My.Tool", "my-tool", "my__tool"])
@pytest.mark.parametrize("version", ["1.2.0", "1.2.0-rc.1", "1.2.0+local.1"])
def test_a_python_project_makes_files_that_every_tool_reads_as_this_version(name: str, version: str) -> None:
    wheel, sdist = distributions(name, version)
    wanted = (canonicalize_name(name), Version(version))
    assert parse_wheel_filename(wheel)[:2] == wanted
    assert parse_sdist_filename(sdist) == wanted
    assert wheel.endswith("-py3-none-any.whl")


def test_a_version_that_is_none_of_python_still_makes_one_name() -> None:
    assert distributions("tool", "1.0-nightly")[1] == "tool-1.0_nightly.tar.gz"


def test_files_that_are_named_are_not_guessed() -> None:
    (guessed,) = artifacts(Artifact("my-tool", kind="python"), VALUES)
    assert guessed.makes == ("my_tool-1.2.0-py3-none-any.whl", "my_tool-1.2.0.tar.gz")
    (named,) = artifacts(Artifact("my-tool", kind="python", files=("my_tool-{version}-cp313-cp313-linux.whl",)), VALUES)
    assert named.makes == ("my_tool-1.2.0-cp313-cp313-linux.whl",)


def test_an_image_has_a_part_a_platform_with_its_own_arguments_and_files() -> None:
    table = Image(
        "acme/app", file="Dockerfile", registries=("docker.io", "localhost:5000"), platforms=("linux/amd64", "linux/arm64"),
        args={"ARCH": "{arch}"}, artifacts=("app-{arch}",), labels={"about": "{version}"},
    )  # fmt: skip
    (wish,) = images([table], VALUES)
    assert wish.parts == (
        ImagePart("linux/amd64", {"ARCH": "amd64"}, ("app-amd64",)),
        ImagePart("linux/arm64", {"ARCH": "arm64"}, ("app-arm64",)),
    )
    assert (wish.tag, wish.labels) == ("v1.2.0", {"about": "1.2.0"})
    assert wish.targets == (
        Reference("docker.io", "acme/app", "v1.2.0"),
        Reference("localhost:5000", "acme/app", "v1.2.0"),
    )


def test_tables_that_only_name_an_image_are_more_places_for_the_one_that_builds_it() -> None:
    built = Image("acme/app", file="Dockerfile", registries=("one.example",))
    also = Image("acme/app", registries=("two.example", "one.example"))
    line = Image("acme/app", registries=("one.example",), tag="{line}")
    foreign = Image("acme/other", registries=("two.example",))
    (wish,) = images([also, built, line, foreign], VALUES)
    assert sorted(map(str, wish.targets)) == [
        "one.example/acme/app:1.2", "one.example/acme/app:v1.2.0", "two.example/acme/app:v1.2.0",
    ]  # fmt: skip
    assert images([also, foreign], VALUES) == ()


@pytest.mark.parametrize(
    ("index", "upload", "wanted"),
    [
        ("https://pypi.org/simple", "", "https://upload.pypi.org/legacy/"),
        ("https://test.pypi.org/simple/", "", "https://test.pypi.org/legacy/"),
        ("https://index.example/simple", "", ""),
        ("https://index.example/simple", "https://index.example/up", "https://index.example/up"),
    ],
)
def test_what_takes_the_files_of_a_public_index_is_known(index: str, upload: str, wanted: str) -> None:
    wish = package(Package("tool", index=index, upload=upload, files=("tool-{version}.tar.gz",)), VALUES)
    assert (wish.upload, wish.index, wish.files) == (wanted, index.rstrip("/"), ("tool-1.2.0.tar.gz",))


def test_a_publisher_waits_as_long_as_its_table_says_else_as_the_release() -> None:
    table = Publish("shop", run=("put", "{version}"), exists=("look", "{tag}"), env=("TOKEN",))
    wish = publisher(table, VALUES, 40)
    assert (wish.run, wish.exists, wish.env, wish.deadline) == (("put", "1.2.0"), ("look", "v1.2.0"), ("TOKEN",), 40)
    assert publisher(Publish("shop", run=("a",), exists=("b",), deadline="2m"), VALUES, 40).deadline == 120


def test_what_a_release_says_of_itself_is_named_for_its_version() -> None:
    wish = attest(Attest(sbom="app-{version}.cdx.json", provenance="app.intoto.jsonl", identity="{tag}@acme"), VALUES)
    assert (wish.sbom, wish.provenance, wish.identity) == ("app-1.2.0.cdx.json", "app.intoto.jsonl", "v1.2.0@acme")
