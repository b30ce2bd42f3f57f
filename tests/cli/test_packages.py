"""Whole releases with packages on an index, and with commands of the project that publish."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from release.sandbox.index import PackageIndex
from tests.indexes import PASSWORD, USER, Line, digest
from tests.world import World, made

CONFIG = """\
[project]
name = "demo"

[version]
scheme = "pep440"

[commit]
mode = "push"

[changelog]
file = "CHANGELOG.md"

[[artifact]]
name = "flat-earth"
run = ["$PYTHON", "make.py"]
files = ["flat_earth-{{version}}-py3-none-any.whl", "flat_earth-{{version}}.tar.gz"]

[[package]]
name = "flat-earth"
files = ["flat-earth"]
"""
PUBLISH = """
[[publish]]
name = "shelf"
run = ["sh", "publish.sh", "{{version}}"]
exists = ["sh", "exists.sh", "{{version}}"]
env = ["SHELF", "SHELF_TOKEN"]
"""
MAKE = """\
import io, os, tarfile, zipfile
from pathlib import Path
version = os.environ["SLUICE_VERSION"]
about = f"Metadata-Version: 2.1\\nName: flat-earth\\nVersion: {version}\\n"
stem = f"flat_earth-{version}"
def write(name, files):
    with zipfile.ZipFile(Path(os.environ["SLUICE_OUTPUT"], name), "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
wheel = {"flat_earth.py": f"version = {version!r}\\n" + "#" * PADDING, f"{stem}.dist-info/METADATA": about,
         f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: hand\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
wheel[f"{stem}.dist-info/RECORD"] = "".join(f"{name},,\\n" for name in (*wheel, f"{stem}.dist-info/RECORD"))
write(f"{stem}-py3-none-any.whl", wheel)
with tarfile.open(Path(os.environ["SLUICE_OUTPUT"], f"{stem}.tar.gz"), "w:gz") as archive:
    for name in ("PKG-INFO", "flat_earth.py"):
        info = tarfile.TarInfo(f"{stem}/{name}")
        info.size = len(about)
        archive.addfile(info, io.BytesIO(about.encode()))
"""
LOOKING = {"VerifyPackage"}
"""The step of which this file shows that it looks, and changes nothing."""
WHEEL, SDIST = "flat_earth-0.1.0-py3-none-any.whl", "flat_earth-0.1.0.tar.gz"


@dataclass(frozen=True)
class Scene:
    """A clone of an upstream that releases a package, and the index that stands for PyPI."""

    world: World
    clone: Path
    index: PackageIndex

    def places(self, upload: str = "") -> str:
        return f"https://pypi.org/simple={self.index.url}/simple https://upload.pypi.org/legacy/={upload or self.index.legacy}"

    def env(self, upload: str = "", **more: str) -> dict[str, str]:
        login = {
            "TWINE_USERNAME": USER,
            "TWINE_PASSWORD": PASSWORD,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        return {"SLUICE_PLACES": self.places(upload), **login, **more}

    def uploads(self) -> list[int]:
        """The statuses of all uploads that the index answered."""
        return [one.status for one in self.index.requests if one.path == "/legacy/"]


def scene(
    folder: Path, index: PackageIndex, config: str = CONFIG, padding: int = 0, files: Mapping[str, str] | None = None
) -> Scene:
    world = made(folder, config.replace("$PYTHON", sys.executable), ())
    clone = world.clone("anna")
    world.commit(clone, {"make.py": MAKE.replace("PADDING", str(padding)), **(files or {})}, "feat: a package")
    return Scene(world, clone, index)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PackageIndex]:
    with PackageIndex(tmp_path / "index", users={USER: PASSWORD}) as running:
        yield running


def test_a_release_uploads_its_package_once_and_verifies_it_byte_by_byte(tmp_path: Path, index: PackageIndex) -> None:
    at = scene(tmp_path / "world", index)
    world, clone = at.world, at.clone
    world.invoke(clone, "release.plan", env=at.env()).expect(0, f"upload {WHEEL}, {SDIST} to pypi.org")
    said = world.invoke(clone, "release", "--yes", env=at.env()).expect(0)
    assert PASSWORD not in said.said
    assert sorted(index.files("flat-earth")) == sorted([WHEEL, SDIST])
    target = tmp_path / "target"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--index-url", index.simple]
    subprocess.run([*pip, "--target", str(target), "flat-earth==0.1.0"], check=True, env={"PATH": os.environ["PATH"]})
    assert (target / "flat_earth.py").read_text() == "version = '0.1.0'\n"
    verified = world.invoke(clone, "release.verify", env=at.env()).expect(0)
    assert "byte by byte" in verified.said
    world.invoke(clone, "release", "--yes", "--version", "0.1.0", env=at.env()).expect(0)
    assert at.uploads() == [200, 200]
    index.corrupt(SDIST)
    world.invoke(clone, "release.verify", env=at.env()).expect(1, f"{SDIST} has sha256")
    withdrawn = world.invoke(
        clone, "release.withdraw", "--version", "0.1.0", "--reason", "it is flat", "--yes", env=at.env()
    )
    withdrawn.expect(0, "https://pypi.org/manage/project/flat-earth/release/0.1.0/")


def test_an_extra_file_and_a_missing_one_fail_the_verification(tmp_path: Path, index: PackageIndex) -> None:
    at = scene(tmp_path / "world", index)
    at.world.invoke(at.clone, "release", "--yes", env=at.env()).expect(0)
    index.drop(SDIST)
    said = at.world.invoke(at.clone, "release.verify", env=at.env()).expect(1)
    assert f"missing: {SDIST}" in said.said


def test_a_name_that_somebody_took_stops_before_anything_is_written(tmp_path: Path, index: PackageIndex) -> None:
    at, other = scene(tmp_path / "world", index), scene(tmp_path / "other", index, padding=9)
    other.world.invoke(other.clone, "release", "--yes", env=other.env()).expect(0)
    before = at.world.every_ref()
    at.world.invoke(at.clone, "release", "--yes", env=at.env()).expect(
        3, "flat-earth 0.1.0 on https://pypi.org/simple exists"
    )
    assert at.world.every_ref() == before


@pytest.mark.parametrize("login", [{"TWINE_PASSWORD": ""}, {"TWINE_USERNAME": "", "TWINE_PASSWORD": ""}])
def test_without_a_login_nothing_is_built_and_nothing_written(
    tmp_path: Path, index: PackageIndex, login: dict[str, str]
) -> None:
    at = scene(tmp_path / "world", index)
    before = at.world.every_ref()
    at.world.invoke(at.clone, "release", "--yes", env=at.env(**login)).expect(3, "no login for https://upload.pypi.org")
    assert at.world.every_ref() == before
    assert not list((at.clone / ".release").glob("logs/artifact*"))


def test_what_the_index_would_not_take_is_seen_before_the_tag(tmp_path: Path, index: PackageIndex) -> None:
    broken = MAKE.replace("Version: {version}", "Version: 9.9").replace("PADDING", "0")
    at = scene(tmp_path / "world", index, files={"make.py": broken})
    said = at.world.invoke(at.clone, "release", "--yes", env=at.env())
    said.expect(1, f"{WHEEL} says that it is flat-earth 9.9, not flat-earth 0.1.0")
    assert not [ref for ref in at.world.refs() if ref.startswith("refs/tags/")]
    assert at.uploads() == []


def test_a_refused_login_is_told_and_the_next_run_goes_on(tmp_path: Path, index: PackageIndex) -> None:
    at = scene(tmp_path / "world", index)
    wrong = at.world.invoke(at.clone, "release", "--yes", env=at.env(TWINE_PASSWORD="not-the-password"))
    wrong.expect(1, "the index answered 403")
    assert "not-the-password" not in wrong.said
    assert index.files("flat-earth") == {}
    at.world.invoke(at.clone, "release", "--yes", env=at.env()).expect(0)
    assert at.uploads() == [403, 200, 200]


def test_a_lost_answer_is_looked_at_and_not_repeated(tmp_path: Path, index: PackageIndex) -> None:
    at = scene(tmp_path / "world", index)
    with Line(index.legacy, mute=True) as line:
        said = at.world.invoke(at.clone, "release", "--yes", env=at.env(line.url + "/legacy/"))
        assert line.reached.is_set()
    said.expect(0)
    assert sorted(index.files("flat-earth")) == sorted([WHEEL, SDIST])
    assert at.uploads() == [200, 200]


def test_a_kill_in_the_middle_of_an_upload_and_the_next_run_ends_the_same(tmp_path: Path, index: PackageIndex) -> None:
    at = scene(tmp_path / "world", index, padding=8 << 20)
    with Line(index.legacy, upto=2 << 20) as line:
        run = at.world.start(at.clone, "release", "--yes", env=at.env(line.url + "/legacy/"))
        assert line.reached.wait(60)
        run.send_signal(signal.SIGKILL)
        run.communicate()
    assert index.files("flat-earth") == {}
    at.world.invoke(at.clone, "release", "--yes", env=at.env()).expect(0)
    assert sorted(index.files("flat-earth")) == sorted([WHEEL, SDIST])
    at.world.invoke(at.clone, "release.verify", env=at.env()).expect(0)


# Commands of the project.

PUBLISH_SH = """\
test "$SHELF_TOKEN" = open-the-shelf || { echo "not with the token $SHELF_TOKEN"; exit 5; }
test -f make.py && test "$(git rev-parse HEAD)" = "$SLUICE_COMMIT" || exit 6
mkdir -p "$SHELF/$1" && cp "$SLUICE_ARTIFACTS"/* "$SHELF/$1/"
"""
EXISTS_SH = """\
test -e "$SHELF/locked" && { echo "the shelf is locked"; exit 2; }
test -e "$SHELF/$1"
"""
FILES = {"publish.sh": PUBLISH_SH, "exists.sh": EXISTS_SH}


def shelved(folder: Path, index: PackageIndex, **files: str) -> tuple[Scene, Path, dict[str, str]]:
    at = scene(folder / "world", index, CONFIG.partition("[[package]]")[0] + PUBLISH, files={**FILES, **files})
    shelf = folder / "shelf"
    shelf.mkdir()
    return at, shelf, at.env(SHELF=str(shelf), SHELF_TOKEN="open-the-shelf")


def test_a_command_publishes_once_with_all_the_files(tmp_path: Path, index: PackageIndex) -> None:
    at, shelf, env = shelved(tmp_path, index)
    said = at.world.invoke(at.clone, "release", "--yes", env=env).expect(0)
    assert "open-the-shelf" not in said.said
    first = {one.name: (digest(one), one.stat().st_mtime_ns) for one in (shelf / "0.1.0").iterdir()}
    assert set(first) == {WHEEL, SDIST}
    at.world.invoke(at.clone, "release.verify", env=env).expect(0)
    at.world.invoke(at.clone, "release", "--yes", "--version", "0.1.0", env=env).expect(0)
    assert {one.name: (digest(one), one.stat().st_mtime_ns) for one in (shelf / "0.1.0").iterdir()} == first


def test_a_green_command_that_published_nothing_is_not_believed(tmp_path: Path, index: PackageIndex) -> None:
    at, _, env = shelved(tmp_path, index, **{"publish.sh": "true\n"})
    at.world.invoke(at.clone, "release", "--yes", env=env).expect(1, "was done, but cannot be seen")


def test_a_command_that_fails_says_why_without_its_token(tmp_path: Path, index: PackageIndex) -> None:
    at, _, env = shelved(tmp_path, index)
    said = at.world.invoke(at.clone, "release", "--yes", env={**env, "SHELF_TOKEN": "the-wrong-token"})
    said.expect(1, re.escape("not with the token ***"))
    at.world.invoke(at.clone, "release", "--yes", env=env).expect(0)


def test_what_cannot_be_told_is_never_taken_for_absent(tmp_path: Path, index: PackageIndex) -> None:
    at, shelf, env = shelved(tmp_path, index)
    (shelf / "locked").touch()
    at.world.invoke(at.clone, "release", "--yes", env=env).expect(1, "the shelf is locked")
    assert not (shelf / "0.1.0").exists()
    (shelf / "locked").unlink()
    at.world.invoke(at.clone, "release", "--yes", env=env).expect(0)


def test_what_is_out_before_its_tag_stops_before_anything_is_written(tmp_path: Path, index: PackageIndex) -> None:
    at, shelf, env = shelved(tmp_path, index)
    (shelf / "0.1.0").mkdir()
    before = at.world.every_ref()
    at.world.invoke(at.clone, "release", "--yes", env=env).expect(3, "is there already, before its tag is")
    assert at.world.every_ref() == before


def test_a_variable_that_is_not_set_is_said_beforehand(tmp_path: Path, index: PackageIndex) -> None:
    at, _, env = shelved(tmp_path, index)
    before = at.world.every_ref()
    at.world.invoke(at.clone, "release", "--yes", env={**env, "SHELF_TOKEN": ""}).expect(3, "SHELF_TOKEN is not set")
    assert at.world.every_ref() == before
