"""The example fleet does what its README tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.sandbox.forge import Sandbox
from release.tasks import program

MADE = {
    "rke2": {"rke2.linux-amd64", "rke2.linux-arm64", "sha256sum-amd64.txt", "sha256sum-arm64.txt", "release.json"},
    "rke2-upgrade": {"rke2-upgrade.linux-amd64.tar", "rke2-upgrade.linux-arm64.tar"},
    "system-agent-installer-rke2": {
        "system-agent-installer-rke2.linux-amd64.tar",
        "system-agent-installer-rke2.linux-arm64.tar",
    },
}


def test_the_demonstration_runs_to_its_end_and_leaves_its_folder(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = tmp_path / "stage"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    program.run(["sluice", "sandbox.demo", "--folder", str(stage)], exit=False)
    out, err = capfd.readouterr()
    *_, last = out.strip().split("\n")
    assert "Surprise" not in out, out
    assert str(stage) in last
    assert "Traceback" not in err
    forge = Sandbox(stage / "forge")
    try:
        for name, assets in MADE.items():
            out_there = {release["tag_name"]: release for release in forge.releases(f"rancher/{name}")}
            assert out_there.keys() == {"v1.30.3-rc1+rke2r1", "v1.30.3+rke2r1"}, name
            assert all({asset["name"] for asset in one["assets"]} == assets for one in out_there.values()), name
            assert [one["draft"] for one in out_there.values()] == [False, False]
            assert out_there["v1.30.3-rc1+rke2r1"]["prerelease"]
            assert not out_there["v1.30.3+rke2r1"]["prerelease"]
    finally:
        forge.close()
