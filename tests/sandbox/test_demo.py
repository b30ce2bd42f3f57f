"""The demonstration compares what it sees with what it tells. The commands themselves are played elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.sandbox import demo
from release.sandbox.demo import Scene


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Who typed what. Each command does as expected."""
    seen: list[tuple[str, str]] = []

    def play(number: int, scene: Scene) -> int:
        if scene.before:
            scene.before()
        seen.append((scene.clone.name, scene.command))
        return scene.expected

    monkeypatch.setattr(demo, "play", play)
    return seen


def test_the_night_shift_finishes_with_the_same_command_what_the_captain_began(
    played: list[tuple[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo.run(tmp_path / "stage") == 0
    candidates = [who for who, command in played if command == demo.CANDIDATE]
    assert candidates == ["captain", "night-shift", "night-shift"]
    assert str(tmp_path / "stage") in capsys.readouterr().out


def test_a_surprise_ends_it_and_names_the_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "play", lambda number, scene: 0)
    assert demo.run(tmp_path / "stage") == 1
    assert "step 4 (invoke release --candidate --yes): exit 0, expected 1" in capsys.readouterr().out


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    assert demo.run(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_command_runs_in_its_clone_with_its_settings_and_its_exit_code_comes_back(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(
        "import os\nimport sys\nfrom invoke import task\n\n\n@task\ndef leave(c):\n"
        "    open(os.environ['WHERE'], 'w').close()\n    sys.exit(4)\n"
    )
    assert demo.play(1, Scene("Leaving.", tmp_path, "leave", 4, settings={"WHERE": "here"})) == 4
    assert (tmp_path / "here").exists()
