"""The real twine uploads, and the real pip installs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from release.sandbox.index import PackageIndex
from tests.sandbox.index.distributions import digest, sdist, wheel


def ran(*words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.upper().startswith(("PIP_", "TWINE_"))}
    plain |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_PROXY": "127.0.0.1", **env}
    command = [sys.executable, "-m", *map(str, words)]
    return subprocess.run(command, env=plain, capture_output=True, text=True, timeout=120, check=False)


def twine(index: PackageIndex, folder: Path, *paths: Path, password: str = "pw") -> subprocess.CompletedProcess[str]:
    pytest.importorskip("twine", reason="twine is not here")
    words = ("upload", "--non-interactive", "--disable-progress-bar", "--repository-url", index.legacy)
    return ran("twine", *words, *paths, TWINE_USERNAME="me", TWINE_PASSWORD=password, HOME=str(folder))


def pip(index: PackageIndex, folder: Path, wanted: str) -> subprocess.CompletedProcess[str]:
    words = (
        "pip",
        "install",
        "--quiet",
        "--no-cache-dir",
        "--no-deps",
        "--target",
        folder,
        "--index-url",
        index.simple,
    )
    return ran(*words, wanted)


def test_twine_uploads_and_pip_installs(tmp_path: Path) -> None:
    one, two = wheel(tmp_path, "some-thing", "1.0", says="from the index"), sdist(tmp_path, "some-thing", "1.0")
    with PackageIndex(tmp_path / "index", users={"me": "pw"}) as index:
        done = twine(index, tmp_path, one, two)
        assert done.returncode == 0, done.stdout + done.stderr
        assert index.files("some-thing") == {one.name: digest(one), two.name: digest(two)}
        got = pip(index, tmp_path / "there", "Some_Thing==1.0")
        assert got.returncode == 0, got.stderr
        assert (tmp_path / "there" / "some_thing.py").read_text() == "SAYS = 'from the index'\n"
        again = twine(index, tmp_path, one)
        assert again.returncode == 0, again.stdout + again.stderr


def test_twine_is_told_what_is_wrong(tmp_path: Path) -> None:
    path = wheel(tmp_path, "thing", "1.0")
    with PackageIndex(tmp_path / "index", users={"me": "pw"}) as index:
        assert "403" in twine(index, tmp_path, path, password="wrong").stdout
        twine(index, tmp_path, path)
        wheel(tmp_path, "thing", "1.0", says="other bytes")
        refused = twine(index, tmp_path, path)
        assert (refused.returncode, "File already exists" in refused.stdout + refused.stderr) == (1, True)


def test_pip_passes_over_what_was_yanked_and_refuses_other_bytes(index: PackageIndex, tmp_path: Path) -> None:
    older, newer = (wheel(tmp_path, "thing", version, says=version) for version in ("1.0", "2.0"))
    assert twine(index, tmp_path, older, newer).returncode == 0
    index.yank("thing", "2.0")
    assert (index.yanked("thing", "2.0"), index.yanked("thing", "1.0")) == (True, False)
    pip(index, tmp_path / "there", "thing")
    assert (tmp_path / "there" / "thing.py").read_text() == "SAYS = '1.0'\n"
    index.corrupt(older.name)
    refused = pip(index, tmp_path / "again", "thing")
    assert (refused.returncode, "DO NOT MATCH THE HASHES" in refused.stderr) == (1, True), refused.stderr
