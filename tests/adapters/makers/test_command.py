"""A command makes exactly what was asked for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from release.core.model import ArtifactWish
from release.errors import Refused
from tests.adapters.makers.conftest import Shop
from tests.world import World


def sh(script: str, *files: str, path: str = "") -> ArtifactWish:
    return ArtifactWish("app", ("sh", "-c", script), files=files, path=path)


def test_all_files_of_a_build_are_kept_in_the_order_in_which_they_are_asked_for(shop: Shop) -> None:
    kept = shop.build(sh('cd "$SLUICE_OUTPUT"; echo 1 > a; echo 2 > b; echo 3 > c', "b", "c", "a"))
    assert [(name, place.read_text()) for name, place in kept.items()] == [("b", "2\n"), ("c", "3\n"), ("a", "1\n")]


def test_all_that_is_missing_and_all_that_is_too_much_is_named_at_once_and_nothing_is_kept(shop: Shop) -> None:
    script = 'cd "$SLUICE_OUTPUT"; echo > a; echo > z; mkdir d; ln -s a l; mkfifo p; mkdir b; echo > .hidden'
    with pytest.raises(Refused) as refused:
        shop.build(sh(script, "a", "b", "c"))
    assert refused.value.message == (
        f"`sh -c {script}` ended well but made no $SLUICE_OUTPUT/b, $SLUICE_OUTPUT/c, and made what nobody asked for: "
        ".hidden, b (a folder), d (a folder), l (a link), p (a pipe), z"
    )
    assert list(shop.kept.iterdir()) == []


@pytest.mark.parametrize(("more", "told"), [
    ("echo > z", "z"), ("mkdir d", "d (a folder)"), ("ln -s a l", "l (a link)"), ("mkfifo p", "p (a pipe)"),
    ("""python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('s')" """, "s (a device or a socket)"),
    ("touch \"$(printf 'x\\033[31m')\"", "x[31m"),
])  # fmt: skip
def test_one_thing_too_much_is_enough(shop: Shop, more: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        shop.build(sh(f'cd "$SLUICE_OUTPUT"; echo > a; {more}', "a"))
    assert refused.value.message.endswith(f" ended well but made what nobody asked for: {told}")
    assert list(shop.kept.iterdir()) == []


def test_with_a_path_it_is_that_one_file_of_the_clone_under_the_name_that_is_asked_for(shop: Shop) -> None:
    kept = shop.build(sh("mkdir dist; echo 1 > dist/x; echo > dist/y", "app-linux", path="dist/x"))
    assert {name: place.read_text() for name, place in kept.items()} == {"app-linux": "1\n"}


def test_a_link_to_what_lies_beside_the_clone_is_no_file_of_the_build(shop: Shop, tmp_path: Path) -> None:
    inside = tmp_path / "core"
    inside.write_text("core\n")
    with pytest.raises(Refused, match="made no app"):
        shop.build(ArtifactWish("app", ("sh", "-c", 'ln -s "$SLUICE_INPUTS/core" app'), path="app"), {"core": inside})


def test_files_of_other_builds_lie_in_a_folder_and_what_is_done_to_them_there_stays_there(
    shop: Shop, tmp_path: Path
) -> None:
    program = tmp_path / "stored"
    program.write_text("#!/bin/sh\necho from the other build\n")
    program.chmod(0o755)
    script = 'ls "$SLUICE_INPUTS"; "$SLUICE_INPUTS/tool" > "$SLUICE_OUTPUT/app"; echo > "$SLUICE_INPUTS/tool"'
    kept = shop.build(sh(script), {"tool": program})
    assert shop.said == ["tool"]
    assert kept["app"].read_text() == "from the other build\n"
    assert program.read_text() == "#!/bin/sh\necho from the other build\n"


def test_as_many_builds_run_at_once_as_may_and_each_keeps_its_log(world: World) -> None:
    """Each build says that it is there and waits for its fellow; a third one sees what the two before it left."""
    shop = Shop(world, at_once=2)
    meet = world.folder / "meet"
    meet.mkdir()
    script = (
        f'cd {meet}; touch in-$0; n=0; while [ $(ls | grep -c ^in-) -lt 2 ] && [ $n -lt 500 ]; do sleep 0.01; n=$((n+1)); done; '
        'echo "$(ls | grep -c ^in-) $(ls | grep -c ^out-)"; touch out-$0; echo > "$SLUICE_OUTPUT/app-$0"'
    )  # fmt: skip
    wishes = [ArtifactWish(f"app-{n}", ("sh", "-c", script, str(n))) for n in range(4)]
    threads = [threading.Thread(target=shop.build, args=(wish,)) for wish in wishes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = [[int(n) for n in (shop.logs / f"artifact-app-{n}.log").read_text().split()] for n in range(4)]
    assert all(begun >= 2 for begun, _ in seen), "one waited for a fellow who was not let in"
    assert all(begun - ended <= 2 for begun, ended in seen), "three ran at once"
    assert sorted(place.name for place in shop.kept.iterdir()) == [f"app-{n}" for n in range(4)]


def test_a_build_that_waits_for_its_turn_does_not_begin_when_everything_ends(world: World) -> None:
    shop = Shop(world, at_once=1)
    begun, refused = world.folder / "begun", list[str]()

    def build(name: str) -> None:
        try:
            shop.build(ArtifactWish(name, ("sh", "-c", f"echo {name} >> {begun}; sleep 60")))
        except Refused as error:
            refused.append(error.message)

    threads = [threading.Thread(target=build, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    while not begun.exists() or not begun.read_text():
        threads[0].join(0.01)
    shop.processes.stop()
    for thread in threads:
        thread.join(30)
    assert len(refused) == 2
    assert len(begun.read_text().split()) == 1
