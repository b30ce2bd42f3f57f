"""Answers on disk: asked about again, never believed unasked, and never in the way."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from release.adapters.github import GitHub
from release.adapters.http import Answer, Answers, Ask, Http, origin
from release.adapters.http.answers import PART
from release.redact import Redactor
from release.sandbox.forge import Sandbox
from tests.forge import serving
from tests.serving import JSON, Reply, Seen, Server, each

Open = Callable[..., Server]
Make = Callable[[], Http]
ANSWER = Answer(200, {"etag": '"1"', "content-type": "application/json", "date": "today", "set-cookie": "no"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".release" / "answers"


@pytest.fixture
def make(folder: Path) -> Iterator[Make]:
    """What a new process would have."""
    made: list[Http] = []

    def http() -> Http:
        made.append(Http({}, Redactor(), backoff=0.001, answers=Answers(folder)))
        return made[-1]

    yield http
    for one in made:
        one.close()


def ask(server: Server, token: str = "one", **how: Any) -> Ask:
    known: dict[str, Any] = {"shape": dict[str, int], "secret": lambda: {"Authorization": token}}
    return Ask("read the sky", f"{server.url}/x", frozenset({origin(server.url)}), **{**known, **how})


def sky(seen: Seen) -> Reply:
    if seen.headers.get("if-none-match") == '"1"':
        return Reply(304, headers={"ETag": '"1"'})
    return Reply(200, {"blue": 1}, {"ETag": '"1"', "Link": '</x?page=2>; rel="next"', "X-OAuth-Scopes": "repo"})


def asked(server: Server) -> list[str | None]:
    return [one.headers.get("if-none-match") for one in server.seen]


def test_a_later_process_asks_only_whether_it_is_still_right(serve: Open, make: Make, folder: Path) -> None:
    server = serve(sky)
    first, later = make().answer(ask(server)), make().answer(ask(server))
    assert asked(server) == [None, '"1"'], "it is asked every time, the second time for a change only"
    assert (later.status, later.value, later.next) == (200, first.value, first.next)
    assert later.headers.get("x-oauth-scopes") == "repo"
    assert later.headers.get("date") is None
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_answer_is_for_the_same_credentials_and_form_only(serve: Open, make: Make, folder: Path) -> None:
    server = serve(sky)
    make().answer(ask(server))
    make().answer(ask(server, "another"))
    make().answer(ask(server, headers={"Accept": "application/vnd.other+json"}))
    assert asked(server) == [None, None, None]
    assert not any(b"another" in file.read_bytes() for file in folder.iterdir())
    assert len(list(folder.iterdir())) == 3


def test_one_answer_is_read_in_whatever_shape_is_asked_for(serve: Open, make: Make) -> None:
    server = serve(sky)
    make().answer(ask(server))
    http = make()
    assert http.answer(ask(server, shape=bytes)).value == b'{"blue": 1}'
    assert http.answer(ask(server, shape=dict[str, float])).value == {"blue": 1.0}
    assert http.answer(ask(server)).value == {"blue": 1}
    assert asked(server) == [None, '"1"', '"1"', '"1"']


def test_what_changed_replaces_what_was(serve: Open, make: Make, folder: Path) -> None:
    server = serve(sky)
    make().answer(ask(server))
    server.script = each(Reply(200, {"blue": 2}, {"ETag": '"2"'}))
    assert make().answer(ask(server)).value == {"blue": 2}
    server.script = each(Reply(304))
    assert make().answer(ask(server)).value == {"blue": 2}
    assert asked(server) == [None, '"1"', '"2"']
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize(
    ("reply", "how"),
    [
        (Reply(200, {"blue": 1}), {}),
        (Reply(404, {"message": "Not Found"}, {"ETag": '"1"'}), {}),
        (Reply(201, {"blue": 1}, {"ETag": '"1"'}), {"method": "POST", "body": b"{}"}),
        (Reply(200, b"", {**JSON, "ETag": '"1"'}), {"shape": None}),
    ],
    ids=["no ETag", "not there", "a write", "no body is wanted"],
)
def test_only_whole_good_json_with_an_etag_is_kept(
    serve: Open, make: Make, folder: Path, reply: Reply, how: dict[str, Any]
) -> None:
    make().answer(ask(serve(each(reply)), **how))
    assert not folder.exists()


def broken(content: bytes) -> Iterator[bytes]:
    yield b""
    yield b"\x00\xff garbage"
    yield content[: len(content) // 2]
    yield content[:-1]
    yield content + b" "
    yield content[:-8] + bytes([content[-8] ^ 1]) + content[-7:]
    yield content.replace(b'"key":"', b'"key":"0')
    yield content.partition(b"\n")[0]
    yield b"[" * 70_000 + b"\n"


def test_a_file_that_is_broken_or_somebody_elses_is_ignored_and_replaced(serve: Open, make: Make, folder: Path) -> None:
    server = serve(sky)
    make().answer(ask(server))
    (file,) = folder.iterdir()
    content = file.read_bytes()
    outside = folder.parent / "outside"
    outside.write_bytes(content)
    harms: list[Callable[[], object]] = [partial(file.write_bytes, bad) for bad in broken(content)]
    harms += [partial(file.symlink_to, outside), partial(os.mkfifo, file)]
    for harm in harms:
        file.unlink()
        harm()
        server.seen.clear()
        assert make().answer(ask(server)).value == {"blue": 1}
        assert asked(server) == [None]
        assert file.read_bytes() == content
        assert not file.is_symlink()
    assert outside.read_bytes() == content


def test_where_nothing_can_be_written_nothing_is_kept_and_nothing_fails(serve: Open, make: Make, folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where the folder should be")
    server = serve(sky)
    assert [make().answer(ask(server)).value for _ in range(2)] == [{"blue": 1}] * 2
    assert asked(server) == [None, None]


def test_what_was_not_used_for_longest_makes_room(folder: Path) -> None:
    kept = Answers(folder, largest=100_000)
    for number in range(50):
        kept.put(("x", str(number)), ANSWER, os.urandom(1000))
    for file in folder.iterdir():
        os.utime(file, (1, 1))
    assert kept.get(("x", "7"), 10_000) is not None, "to be used makes it new"
    for number in range(50, 150):
        kept.put(("x", str(number)), ANSWER, os.urandom(1000))
        os.utime(max(folder.iterdir(), key=lambda file: file.stat().st_mtime), (number, number))
        assert kept.get(("x", "7"), 10_000) is not None
        assert sum(file.stat().st_size for file in folder.iterdir()) <= 100_000
    assert kept.get(("x", "149"), 10_000) is not None
    assert kept.get(("x", "8"), 10_000) is None
    kept.put(("x", "large"), ANSWER, os.urandom(50_000))
    assert kept.get(("x", "large"), 100_000) is None


def test_the_lists_of_a_large_fleet_have_room(folder: Path) -> None:
    kept, page = Answers(folder, largest=1_000_000), msgspec.json.encode([{"name": f"v1.{n}.0"} for n in range(10_000)])
    for number in range(20):
        kept.put(("x", str(number)), ANSWER, page)
    assert 20 * len(page) > 4_000_000
    for number in range(20):
        found = kept.get(("x", str(number)), 1 << 20)
        assert found is not None
        assert found[1] == page
    assert kept.get(("x", "0"), len(page) - 1) is None, "and what is too large for who asks is not unpacked"


def test_what_a_dead_process_left_half_written_goes(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / f"{PART}old").write_text("x")
    os.utime(folder / f"{PART}old", (time.time() - 7200,) * 2)
    (folder / f"{PART}new").write_text("x")
    Answers(folder).put(("x",), ANSWER, b"1")
    assert {file.name for file in folder.iterdir() if file.name.startswith(PART)} == {f"{PART}new"}


def test_many_may_read_and_write_the_same_at_once(folder: Path) -> None:
    """Each has its own view of how full it is, as processes have."""
    bodies = {bytes([65 + n]) * 20_000 for n in range(4)}
    wrong: list[object] = []

    def work(body: bytes) -> None:
        kept = Answers(folder, largest=400_000)
        for number in range(40):
            kept.put(("x", str(number % 30)), ANSWER, body)
            found = kept.get(("x", str(number % 30)), 1 << 20)
            if found is not None and found[1] not in bodies:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert not [file for file in folder.iterdir() if file.name.startswith(PART)]


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Sandbox]:
    with serving(tmp_path / "forge") as served:
        served.repository("acme/app", push=("captain",))
        yield served


def test_what_a_forge_listed_once_costs_a_later_command_no_rate_limit(forge: Sandbox, tmp_path: Path) -> None:
    environment = {"GITHUB_API_URL": forge.api_url, "GH_TOKEN": forge.token("captain")}
    used = []
    for _ in range(3):
        github = GitHub.at(environment, cache=tmp_path)
        assert list(github.forge("acme/app").releases()) == []
        github.close()
        used.append(len([one for one in forge.exchanges() if one.status == 200]))
    assert used == [2, 2, 2], "the repository and its releases, once"
    assert not [
        file for file in (tmp_path / "answers").iterdir() if environment["GH_TOKEN"].encode() in file.read_bytes()
    ]
