"""Wheels and sdists, by real build backends: one that is in the project and needs nothing, and those that most projects have."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from release.core.making import distributions
from release.core.model import ArtifactWish
from release.errors import Refused
from tests.adapters.makers.conftest import EPOCH, Shop
from tests.world import World

OWN = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
# Like setuptools, it writes the time and the user into an sdist; its wheel says what the build was told.
BACKEND = """\
import io, os, tarfile, time, zipfile
from pathlib import Path

def build_sdist(folder, settings=None):
    name = "app-1.0.0.tar.gz"
    with tarfile.open(Path(folder, name), "w:gz") as tar:
        for path in ["pyproject.toml", "backend.py", "run.sh"]:
            tar.add(path, f"app-1.0.0/{path}")
        info = tarfile.TarInfo("app-1.0.0/PKG-INFO")
        info.mtime, info.size, info.uname = time.time(), 4, "somebody"
        tar.addfile(info, io.BytesIO(b"None"))
        for name_, kind, to in [("link", tarfile.SYMTYPE, "run.sh"), ("hard", tarfile.LNKTYPE, "app-1.0.0/run.sh")]:
            info = tarfile.TarInfo(f"app-1.0.0/{name_}")
            info.type, info.linkname, info.mtime, info.mode = kind, to, time.time(), 0o755
            tar.addfile(info)
    return name

def build_wheel(folder, settings=None, metadata=None):
    name = "app-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(Path(folder, name), "w") as wheel:
        for told in ("SOURCE_DATE_EPOCH", "SLUICE_VERSION", "A_TOKEN"):
            wheel.writestr(zipfile.ZipInfo(told), os.environ.get(told, "nothing"))
        wheel.writestr(zipfile.ZipInfo("mode"), oct(os.stat("run.sh").st_mode))
    return name
"""
PROJECT = {"pyproject.toml": OWN, "backend.py": BACKEND, "run.sh": "#!/bin/sh\n"}
BOTH = distributions("app", "1.0.0")
WHEEL, SDIST = BOTH


def python(*files: str, path: str = "") -> ArtifactWish:
    return ArtifactWish("app", kind="python", files=files, path=path)


@pytest.fixture
def project(shop: Shop) -> Shop:
    shop.commit(PROJECT)
    (shop.clone / "run.sh").chmod(0o755)
    shop.commit({})
    return shop


def test_the_wheel_is_built_from_the_sdist_at_the_time_of_the_release_and_without_tokens(
    project: Shop, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", "hunter22")
    kept = Shop(world).build(python(*BOTH))
    assert list(kept) == list(BOTH)
    with zipfile.ZipFile(kept[WHEEL]) as wheel:
        said = {name: wheel.read(name).decode() for name in wheel.namelist()}
    assert said == {
        "SOURCE_DATE_EPOCH": str(EPOCH), "SLUICE_VERSION": "1.0.0", "A_TOKEN": "nothing", "mode": "0o100755",
    }  # fmt: skip
    assert "Successfully built" in (project.logs / "artifact-app.log").read_text()


def test_an_sdist_is_packed_anew_so_that_it_is_the_same_twice(project: Shop, world: World) -> None:
    first = project.build(python(*BOTH))
    before = os.umask(0o077)
    try:
        again = Shop(world).build(python(*BOTH), into="again")
    finally:
        os.umask(before)
    assert [one.read_bytes() for one in first.values()] == [one.read_bytes() for one in again.values()]
    with tarfile.open(first[SDIST]) as tar:
        assert tar.getnames() == [f"app-1.0.0/{name}" for name in ("PKG-INFO", "backend.py", "hard", "link", "pyproject.toml", "run.sh")]  # fmt: skip
        assert {(one.mtime, one.uid, one.gid, one.uname, one.gname) for one in tar} == {(EPOCH, 0, 0, "", "")}
        by_name = {one.name.partition("/")[2]: one for one in tar}
        assert {name: one.mode for name, one in by_name.items() if one.isreg()} == {
            "PKG-INFO": 0o644, "backend.py": 0o644, "hard": 0o755, "pyproject.toml": 0o644, "run.sh": 0o755,
        }  # fmt: skip
        assert (by_name["link"].issym(), by_name["link"].linkname) == (True, "run.sh")
        assert tar.extractfile("app-1.0.0/hard").read() == b"#!/bin/sh\n"  # type: ignore[union-attr]


@pytest.mark.parametrize("wanted", [WHEEL, SDIST])
def test_one_of_the_two_is_enough(project: Shop, wanted: str) -> None:
    assert list(project.build(python(wanted))) == [wanted]


def test_a_project_in_a_folder_and_a_folder_named_as_the_library(shop: Shop) -> None:
    shop.commit(
        {f"sub/{path}": text for path, text in PROJECT.items()} | {"build/__init__.py": "raise SystemExit(9)\n"}
    )
    assert list(shop.build(python(SDIST, path="sub"))) == [SDIST]


@pytest.mark.parametrize(("change", "said"), [
    ("1.0.1", "made no $SLUICE_OUTPUT/app-1.0.0-py3-none-any.whl, $SLUICE_OUTPUT/app-1.0.0.tar.gz, and made what nobody asked for: app-1.0.1-py3-none-any.whl, app-1.0.1.tar.gz"),
    ("1.0.0.dev0", "app-1.0.0.dev0-py3-none-any.whl"),
])  # fmt: skip
def test_other_files_than_were_asked_for_are_refused(shop: Shop, change: str, said: str) -> None:
    shop.commit({**PROJECT, "backend.py": BACKEND.replace("1.0.0", change)})
    with pytest.raises(Refused) as refused:
        shop.build(python(*BOTH))
    assert said in refused.value.message
    assert "[[artifact]] files" in refused.value.remedy
    assert list(shop.kept.iterdir()) == []


def test_a_backend_that_fails_is_refused_with_its_last_words(shop: Shop) -> None:
    shop.commit(
        {**PROJECT, "backend.py": "def build_sdist(folder, settings=None):\n    raise ValueError('no such luck')\n"}
    )
    with pytest.raises(Refused, match="no such luck") as refused:
        shop.build(python(*BOTH))
    assert "its log is" in refused.value.remedy


@pytest.mark.parametrize("odd", [
    'info = tarfile.TarInfo("app-1.0.0/../../x")', 'info = tarfile.TarInfo("/x")',
    'info = tarfile.TarInfo("app-1.0.0/pipe"); info.type = tarfile.FIFOTYPE',
])  # fmt: skip
def test_an_sdist_with_what_no_sdist_may_hold_is_refused(shop: Shop, odd: str) -> None:
    backend = BACKEND.replace(
        "    return name\n\ndef build_wheel", f"        {odd}; tar.addfile(info)\n    return name\n\ndef build_wheel"
    )
    assert backend != BACKEND
    shop.commit({**PROJECT, "backend.py": backend})
    with pytest.raises(Refused, match="no sdist may hold"):
        shop.build(python(SDIST))


def test_a_build_ends_at_once_when_everything_ends(shop: Shop, world: World) -> None:
    begun = world.folder / "begun"
    backend = f"import time\nfrom pathlib import Path\n\ndef build_sdist(folder, settings=None):\n    Path({str(begun)!r}).touch()\n    time.sleep(60)\n"
    shop.commit({**PROJECT, "backend.py": backend})
    refused = list[Refused]()

    def build() -> None:
        try:
            shop.build(python(*BOTH))
        except Refused as error:
            refused.append(error)

    thread = threading.Thread(target=build)
    thread.start()
    while not begun.exists() and thread.is_alive():
        thread.join(0.01)
    shop.processes.stop()
    thread.join(30)
    assert [("ended with signal 9" in error.message) for error in refused] == [True]


SETUPTOOLS = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "app"
version = "1.0.0"
[tool.setuptools]
packages = ["app"]
"""
HATCHLING = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "app"
version = "1.0.0"
requires-python = ">=3"
"""


@pytest.mark.parametrize(("backend", "text"), [("setuptools", SETUPTOOLS), ("hatchling", HATCHLING)])
def test_wheel_and_sdist_of_a_common_backend_are_the_same_twice_and_can_be_installed(
    shop: Shop, world: World, tmp_path: Path, backend: str, text: str
) -> None:
    if not available(backend, tmp_path / "probe"):
        pytest.skip(f"pip finds no {backend} from here")
    shop.commit({"pyproject.toml": text, "app/__init__.py": "SAID = 'hello'\n", "app/data.txt": "x\n"})
    first = shop.build(python(*BOTH))
    before = os.umask(0o077)
    try:
        again = Shop(world).build(python(*BOTH), into="again")
    finally:
        os.umask(before)
    assert {name: place.read_bytes() for name, place in first.items()} == {
        name: place.read_bytes() for name, place in again.items()
    }
    pip("install", "--no-deps", "--target", str(tmp_path / "site"), str(first[WHEEL]))
    hello = subprocess.run([sys.executable, "-c", "import app; print(app.SAID)"], cwd=tmp_path / "site", capture_output=True, text=True, check=True)  # fmt: skip
    assert hello.stdout == "hello\n"


def available(package: str, folder: Path) -> bool:
    """Whether pip can get a package, as it would for an isolated build."""
    return pip("download", "--no-deps", "--dest", str(folder), package, check=False) == 0


def pip(*args: str, check: bool = True) -> int:
    done = subprocess.run([sys.executable, "-m", "pip", "--quiet", *args], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.returncode
