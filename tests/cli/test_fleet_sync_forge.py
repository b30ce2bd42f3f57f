"""The pull side on a forge: what a schedule makes, what it waits for, and that it meets a captain without a collision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from tests.forge import Client
from tests.forged import MAKE, Fleet, downstream, fleet, seed, workflow
from tests.world import TASKS, Answer

TAG = "v0.1.0"
SYNC = '[project]\nforge = "github"\n\n[sync]\nupstream = "acme/app"\n'


@contextmanager
def out(folder: Path, triggers: Mapping[str, str], change: tuple[str, str] = ("", "")) -> Iterator[tuple[Fleet, Path]]:
    """A release that is out before it had components, and a captain who knows of them by now."""
    with fleet(folder, {}) as some:
        captain = some.clone("ada")
        some.invoke(captain, "release", "--yes").expect(0)
        own = {"make.py": MAKE, "release.toml": SYNC, "tasks.py": TASKS}
        for name, trigger in triggers.items():
            seed(some.world, some.forge, name, {".github/workflows/release.yml": workflow(trigger), **own})
        tables = "".join(downstream(name, trigger).replace(*change) for name, trigger in triggers.items())
        some.commit("app", {"release.toml": (captain / "release.toml").read_text() + tables}, "ci: components")
        some.world.git(captain, "pull", "--quiet")
        yield some, captain


def test_schedules_and_a_captain_in_the_same_second_make_one_release_each_and_all_say_so(tmp_path: Path) -> None:
    triggers = {"first": "release", "second": "workflow_dispatch"}
    with out(tmp_path, triggers) as (some, captain):
        robots = [some.clone(f"robot-{name}", name) for name in triggers]

        def typed(command: tuple[Path, list[str]]) -> Answer:
            return some.invoke(command[0], *command[1])

        by_captain = (captain, ["release.downstream", "--version", TAG, "--yes"])
        by_schedule = [(robot, ["fleet.sync", "--yes"]) for robot in robots]
        with ThreadPoolExecutor(3) as pool:
            pushed, *pulled = pool.map(typed, [by_captain, *by_schedule])
        pushed.expect(0)
        assert {one.code for one in pulled} <= {0, 4}, pulled
        for name in triggers:
            assert len(some.forge.runs(f"acme/{name}")) == 1
            assert [one["tag_name"] for one in some.releases(name)] == [TAG]
        some.invoke(robots[1], "fleet.sync", "--yes").expect(0, "1 there")


def test_what_is_not_there_yet_is_waited_for_and_an_empty_list_is_not_believed(tmp_path: Path) -> None:
    late = ('after_assets = ["app', 'after_assets = ["late.bin", "app')
    with out(tmp_path, {"only": "release"}, late) as (some, _), closing(Client(some.forge, some.token)) as person:
        robot = some.clone("robot", "only")
        some.invoke(robot, "fleet.sync", "--yes").expect(4, r"v0\.1\.0  waits +waits for late\.bin of v0\.1\.0")
        assert some.releases("only") == []
        (release,) = some.releases("app")
        person.good(person.upload(person.get(f"/repos/acme/app/releases/{release['id']}"), "late.bin", b"late"))
        some.invoke(robot, "fleet.sync", "--yes").expect(0, r"v0\.1\.0  made")
        (made,) = some.releases("only")
        head = some.refs("only")["refs/heads/main"]
        assert (made["tag_name"], made["target_commitish"], made["prerelease"]) == (TAG, head, False)
        person.good(person("DELETE", f"/repos/acme/app/releases/{release['id']}"))
        told = some.invoke(robot, "fleet.sync", "--yes")
        told.expect(1, r"is not believed: the list of its releases is empty, and v0\.1\.0 was made here")


def test_a_component_on_a_forge_releases_itself_with_the_token_that_is_here_and_nobody_reads_it(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        own = '[project]\nname = "own"\nforge = "github"\n\n[release]\ndeadline = "20s"\n'
        gate = '[[gate]]\nname = "talkative"\nrun = ["sh", "-c", "test -z \\"$SLUICE_GITHUB_TOKEN\\""]\n'
        seed(some.world, some.forge, "own", {"release.toml": own + gate, "tasks.py": TASKS})
        captain = some.clone("ada")
        run = 'run = ["sh", "-c", "echo token $SLUICE_GITHUB_TOKEN; exec invoke release --version {tag} --yes"]\n'
        table = f'\n[[downstream]]\nname = "own"\nrepository = "acme/own"\ntrigger = "local"\n{run}'
        some.commit("app", {"release.toml": (captain / "release.toml").read_text() + table}, "feat: one component")
        some.world.git(captain, "pull", "--quiet")
        in_actions = {"GITHUB_REF": "refs/heads/main", "GITHUB_EVENT_NAME": "workflow_dispatch"}
        told = some.invoke(captain, "release", "--yes", env=in_actions)
        told.expect(0, r"downstream own: done, v0\.1\.0 on")
        (made,) = some.releases("own")
        assert (made["tag_name"], made["draft"]) == (TAG, False)
        assert "refs/sluice/0.1" in some.refs("own")
        log = (captain / ".release" / "logs" / f"downstream-own-{TAG}.log").read_text()
        assert "token ***\n" in log
        assert some.token not in log + told.said
