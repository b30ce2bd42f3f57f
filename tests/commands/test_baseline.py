"""A baseline is written once, over what was looked at, whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from release import app
from release.commands.baseline import adopt, prepared
from release.errors import ConflictError, Refused, UsageError
from tests.world import World, made

CONFIG = '[project]  # ours\nname = "up"\n\n[version]\nscheme = "semver"\n'


@pytest.fixture
def captain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of an upstream with three releases, in the world's environment."""
    world: World = made(tmp_path, CONFIG, downstreams=())
    for name in set(os.environ) - set(world.environment):
        monkeypatch.delenv(name)
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    clone = world.clone("captain")
    for day, tag in enumerate(("v1.0.0", "v1.1.0", "v1.2.0", "odd"), 1):
        dated = World(tmp_path, {**world.environment, "GIT_COMMITTER_DATE": f"2030-01-0{day}T00:00:00Z"})
        dated.git(clone, "commit", "--quiet", "--allow-empty", "--message", tag)
        world.git(clone, "push", "--quiet", "origin", f"HEAD:refs/tags/{tag}")
    return clone


def test_a_baseline_is_written_and_the_same_again_does_nothing(captain: Path) -> None:
    file = captain / "release.toml"
    file.chmod(0o640)
    todo = prepared(app.looking(captain), "1.1.0")
    assert file.read_text() == CONFIG, "to look writes nothing"
    assert (todo.baseline.since, todo.baseline.history, todo.baseline.proved) == ("v1.1.0", 1, 2)
    assert [line for line in todo.baseline.diff if line[:2] in ("+s", "-s")] == ['+since = "v1.1.0"']
    adopt(app.looking(captain), todo)
    assert file.read_text() == CONFIG.replace("# ours\n", '# ours\nsince = "v1.1.0"\n')
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert app.looking(captain).config.project.since == "v1.1.0"
    again = prepared(app.looking(captain), "v1.1.0")
    assert (again.baseline.diff, again.baseline.next) == ((), "")
    before = file.stat()
    adopt(app.looking(captain), again)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_what_is_no_release_is_no_baseline(captain: Path) -> None:
    with pytest.raises(ConflictError, match=r"the upstream has no tag 'v1.2.1'") as error:
        prepared(app.looking(captain), "1.2.1")
    assert error.value.conflicts[0].remedy.startswith("did you mean v1.")
    with pytest.raises(UsageError):
        prepared(app.looking(captain), "odd")


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(captain: Path) -> None:
    session = app.looking(captain)
    todo = prepared(session, "1.1.0")
    (captain / "release.toml").write_text(CONFIG + "# somebody was here\n")
    with pytest.raises(Refused, match="was changed while it was looked at"):
        adopt(session, todo)
    assert (captain / "release.toml").read_text() == CONFIG + "# somebody was here\n"
    assert not [name for name in os.listdir(captain) if name.startswith(".sluice")]
