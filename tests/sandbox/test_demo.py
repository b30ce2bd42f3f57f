"""The demonstration compares what it sees with what it tells. The commands themselves are played elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.sandbox import demo
from release.sandbox.demo import Scene


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool]]:
    """Who typed what, and whether the installer's repository was closed then. Each command does as expected."""
    seen: list[tuple[str, str, bool]] = []

    def play(number: int, scene: Scene) -> int:
        if scene.before:
            scene.before()
        hook = scene.clone.parent / "remotes" / f"{demo.CLOSED}.git" / "hooks" / "pre-receive"
        seen.append((scene.clone.name, scene.command, hook.exists()))
        return scene.expected

    monkeypatch.setattr(demo, "play", play)
    return seen


def test_the_night_shift_finishes_what_a_closed_remote_stopped(
    played: list[tuple[str, str, bool]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo.run(tmp_path / "stage") == 0
    candidates = [scene for scene in played if scene[1] == "release --candidate --yes"]
    assert candidates == [
        ("captain", "release --candidate --yes", True),
        ("night-shift", "release --candidate --yes", False),
    ]
    assert str(tmp_path / "stage") in capsys.readouterr().out


def test_a_surprise_ends_it_and_names_the_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "play", lambda number, scene: 0)
    assert demo.run(tmp_path / "stage") == 1
    assert "step 3 (invoke release --candidate --yes): exit 0, expected 1" in capsys.readouterr().out


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    assert demo.run(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_command_runs_in_its_clone_and_its_exit_code_comes_back(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(
        "import sys\nfrom invoke import task\n\n\n@task\ndef leave(c):\n    open('here', 'w').close()\n    sys.exit(4)\n"
    )
    assert demo.play(1, Scene("Leaving.", tmp_path, "leave", expected=4)) == 4
    assert (tmp_path / "here").exists()
