"""The example fleet does what its README tells."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from release.tasks import program


def test_the_demonstration_runs_to_its_end_and_leaves_its_folder(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = tmp_path / "stage"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    program.run(["sluice", "sandbox.demo", "--folder", str(stage)], exit=False)
    out, err = capfd.readouterr()
    *_, last = out.strip().split("\n")
    assert str(stage) in last
    assert "Surprise" not in out
    assert "Traceback" not in err
    new = {"v1.30.3-rc1+rke2r1", "v1.30.3+rke2r1"}
    for name in ("rke2", "rke2-upgrade", "system-agent-installer-rke2"):
        assert new <= tags(stage / "remotes" / f"{name}.git"), name


def tags(remote: Path) -> set[str]:
    listed = subprocess.run(
        ["git", "-C", str(remote), "tag", "--list", "--no-column"], capture_output=True, text=True, check=True
    )
    return set(listed.stdout.split("\n")) - {""}
