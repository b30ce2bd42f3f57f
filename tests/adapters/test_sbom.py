"""The bill of materials is valid CycloneDX 1.6, lists the files and what the project asks for, and is the same twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from release.adapters.git.remote import GitRemote
from release.adapters.git.run import Runner
from release.adapters.sbom import Bills, dependency
from release.core.bill import wrong_sbom
from release.core.config import ChangeRules
from release.core.model import Person, Release
from release.core.needs import Need
from tests.world import World

A, B = "a" * 64, "b" * 64
RELEASE = Release(
    version="1.0.0", tag="v1.0.0", line="1.0", kind="final", bump="minor", previous=None, branch="main", base="b" * 40,
    date="2030-01-01T00:00:00+00:00", author=Person("Ada", "ada@example.org"),
)  # fmt: skip
FILES = [("tool", A), ("app-1.0.0.tar.gz", B)]
PROJECT = {
    "requirements.txt": "requests>=2.32\npinned==1.2.3; python_version > '3'\n-e .\n",
    "sub/requirements.txt": "ignored==1\n",
    "pyproject.toml": '[project]\nname = "app"\nrequires-python = ">=3.11"\ndependencies = ["Requests<3"]\n',
    "go/go.mod": "module example.org/app\ngo 1.22\nrequire (\n\texample.org/a v1.4.0\n\texample.org/b/v3 v3.0.1 // indirect\n)\n",
    "Dockerfile": "FROM alpine:3.20 AS base\nFROM ghcr.io/acme/x@sha256:" + "c" * 64 + "\nCOPY --from=base /a /a\n",
    "deploy/Dockerfile": "COPY a b\n",
}


def sbom(world: World, files: Mapping[str, str], source: str = "", name: str = "app") -> bytes:
    clone = world.folder / "seed-upstream"
    commit = world.commit(clone, files, "feat: more", push=False)
    remote = GitRemote("x", Runner(clone / ".git"))
    return Bills(remote, name, source, ChangeRules().manifests, ("sluice-release", "9")).sbom(RELEASE, commit, FILES)


def encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


def valid(content: bytes) -> Any:
    """The document, which the strict schema takes."""
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(content.decode())
    assert error is None, error
    return json.loads(content)


def test_it_lists_every_file_and_all_that_the_project_asks_for(world: World) -> None:
    document = valid(sbom(world, PROJECT))
    components = {one["bom-ref"]: one for one in document["components"]}
    wants = {ref: [p["value"] for p in one.get("properties", [])] for ref, one in components.items()}
    assert wants == {
        "file:tool": [], "file:app-1.0.0.tar.gz": [],
        "pkg:pypi/requests": ["pyproject.toml: <3", "requirements.txt: >=2.32"],
        "pkg:pypi/pinned@1.2.3": ['requirements.txt: ==1.2.3; python_version > "3"'],
        "pkg:golang/example.org/a@v1.4.0": ["go/go.mod: v1.4.0"],
        "pkg:golang/example.org/b/v3@v3.0.1": ["go/go.mod: v3.0.1"],
        "pkg:oci/alpine?repository_url=docker.io/library/alpine&tag=3.20": ["Dockerfile: 3.20"],
        f"pkg:oci/x@sha256:{'c' * 64}?repository_url=ghcr.io/acme/x": [f"Dockerfile: @sha256:{'c' * 64}"],
    }  # fmt: skip
    assert components["file:tool"]["hashes"] == [{"alg": "SHA-256", "content": A}]
    root = document["metadata"]["component"]
    assert (root["name"], root["version"], root["purl"]) == ("app", "1.0.0", "pkg:generic/app@1.0.0")
    assert [one["value"] for one in root["properties"]] == ["deploy/Dockerfile: it has no FROM"]
    assert document["metadata"]["timestamp"] == "2030-01-01T00:00:00+00:00"
    (graph,) = [one["dependsOn"] for one in document["dependencies"] if one["ref"] == root["bom-ref"]]
    assert sorted(graph) == sorted(components)


def test_release_verify_takes_it_for_what_it_is(world: World) -> None:
    assert wrong_sbom(sbom(world, PROJECT), RELEASE, dict(FILES)) == ""


def test_its_bytes_and_its_number_are_of_its_content(world: World) -> None:
    first, again, other = sbom(world, PROJECT), sbom(world, {}), sbom(world, {"requirements.txt": "x\n"})
    assert first == again
    numbers = [json.loads(one)["serialNumber"] for one in (first, other)]
    assert numbers[0] != numbers[1]
    assert all(one.startswith("urn:uuid:") and one[23] == "5" for one in numbers)


def test_its_bytes_are_the_same_in_another_process_with_other_hashes(world: World, tmp_path: Path) -> None:
    first = sbom(world, PROJECT)
    script = (
        "import sys, msgspec; from pathlib import Path; from release.adapters.git.remote import GitRemote\n"
        "from release.adapters.git.run import Runner; from release.adapters.sbom import Bills\n"
        "from release.core.config import ChangeRules; from release.core.model import Release\n"
        "folder, commit, release, files = sys.argv[1:]\n"
        "bills = Bills(GitRemote('x', Runner(Path(folder))), 'app', '', ChangeRules().manifests, ('sluice-release', '9'))\n"
        "made = msgspec.json.decode(files, type=list[tuple[str, str]])\n"
        "sys.stdout.buffer.write(bills.sbom(msgspec.json.decode(release, type=Release), commit, made))"
    )
    clone = world.folder / "seed-upstream"
    commit = world.git(clone, "rev-parse", "HEAD")
    root = str(Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", script, str(clone / ".git"), commit, encode(RELEASE), encode(FILES[::-1])], env={**world.environment, "PYTHONPATH": root, "PYTHONHASHSEED": "7"}, capture_output=True, check=True)  # fmt: skip
    assert done.stdout == first


@pytest.mark.parametrize(("source", "purl"), [
    ("https://github.com/acme/app", "pkg:github/acme/app@v1.0.0"), ("https://github.com/acme/app.git", "pkg:github/acme/app@v1.0.0"),
    ("https://example.org/app", "pkg:generic/app@1.0.0?vcs_url=git%2Bhttps://example.org/app%40"),
])  # fmt: skip
def test_the_project_is_named_as_others_find_it(world: World, source: str, purl: str) -> None:
    found = valid(sbom(world, {}, source))["metadata"]["component"]["purl"]
    assert found.startswith(purl)
    assert str(PackageURL.from_string(found)) == found


def test_files_that_cannot_be_read_are_named_and_names_of_anybody_do_no_harm(world: World) -> None:
    clone = world.folder / "seed-upstream"
    (clone / "go.mod").write_bytes(b"\xff\xfe")
    document = valid(sbom(world, {"requirements.txt": "a @ https://me:pw@example.org/a.whl\n--index-url https://me:pw@x\n", "Dockerfile": "FROM ${X}/y:$Z\n"}))  # fmt: skip
    assert [one["value"] for one in document["metadata"]["component"]["properties"]] == ["go.mod: it is not UTF-8"]
    assert "pw" not in json.dumps(document)


@pytest.mark.parametrize(("path", "need", "purl"), [
    ("requirements.txt", Need("a", "[x]==1.0"), "pkg:pypi/a@1.0"), ("requirements.txt", Need("a", "==1.*"), "pkg:pypi/a"),
    ("requirements.txt", Need("a", "==1.0,!=2"), "pkg:pypi/a"), ("requirements.txt", Need("./a", ""), None),
    ("requirements.txt", Need("python", ">=3", role="language"), None), ("go.mod", Need("go", "1.22", role="language"), None),
    ("go.mod", Need("gopkg.in/yaml", "v3.0.1"), "pkg:golang/gopkg.in/yaml.v3@v3.0.1"),
    ("go.mod", Need("example.org/m", "v2.0.0+incompatible"), "pkg:golang/example.org/m@v2.0.0%2Bincompatible"),
    ("go.mod", Need("example.org/m", "=> example.org/fork/v2 v2.1.0", place="replaced"), "pkg:golang/example.org/fork/v2@v2.1.0"),
    ("go.mod", Need("example.org/m", "=> ../m", place="replaced"), None),
    ("Dockerfile", Need("localhost:5000/x", "1", role="image"), "pkg:oci/x?repository_url=localhost:5000/x&tag=1"),
])  # fmt: skip
def test_package_urls(path: str, need: Need, purl: str | None) -> None:
    """By the types of https://github.com/package-url/purl-spec."""
    found = dependency(path, need)
    assert (str(found.purl) if found and found.purl else None) == purl
