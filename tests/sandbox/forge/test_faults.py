"""Faults by plan: on every endpoint, at the n-th call, before or after it took effect."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests

from release.sandbox.forge import Fault, Sandbox
from tests.forge import Client, commit, git, serving

RELEASES = "/repos/acme/app/releases"
DRAFT = {"tag_name": "v1", "draft": True}


def test_the_nth_call_fails_and_the_others_do_not(forge: Sandbox, captain: Client) -> None:
    forge.faults(Fault("GET", "/repos/acme/app", nth=2, status=503, headers={"Retry-After": "1"}, body="busy"))
    codes = [captain("GET", "/repos/acme/app").status_code for _ in range(3)]
    assert codes == [200, 503, 200]
    forge.faults(Fault("*", "/repos/*", nth=0, status=500))
    assert [captain("GET", "/repos/acme/app").status_code for _ in range(2)] == [500, 500]
    forge.no_faults()
    assert captain("GET", "/repos/acme/app").status_code == 200


def test_before_nothing_happened_and_after_it_did(forge: Sandbox, captain: Client) -> None:
    forge.faults(Fault("POST", RELEASES, status=502))
    assert captain("POST", RELEASES, DRAFT).status_code == 502
    assert captain.get(RELEASES) == []
    forge.no_faults()
    forge.faults(Fault("POST", RELEASES, when="after", status=502))
    assert captain("POST", RELEASES, DRAFT).status_code == 502
    assert len(captain.get(RELEASES)) == 1


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_reset_loses_the_answer(forge: Sandbox, captain: Client, when: str, made: int) -> None:
    forge.faults(Fault("POST", RELEASES, when=when, reset=True))  # type: ignore[arg-type]
    with pytest.raises(requests.ConnectionError):
        captain("POST", RELEASES, DRAFT)
    assert len(captain.get(RELEASES)) == made


def test_a_reset_is_one_of_tcp(forge: Sandbox) -> None:
    forge.faults(Fault("GET", "/rate_limit", reset=True))
    with socket.create_connection(("127.0.0.1", forge.port)) as line:
        line.sendall(b"GET /api/v3/rate_limit HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            line.recv(1)


def test_an_answer_breaks_off_in_its_body(forge: Sandbox, captain: Client) -> None:
    forge.faults(Fault("GET", "/repos/acme/app", cut=20))
    with pytest.raises(requests.RequestException):
        captain("GET", "/repos/acme/app")
    assert captain("GET", "/repos/acme/app").status_code == 200


def test_a_download_breaks_off(forge: Sandbox, captain: Client, work: Path) -> None:
    draft = captain.post(RELEASES, **DRAFT)
    asset = captain.good(captain.upload(draft, "a", b"x" * 100_000))
    forge.faults(Fault("GET", "/_storage/assets/*", cut=1000))
    there = captain("GET", f"{RELEASES}/assets/{asset['id']}", headers={"Accept": "application/octet-stream"})
    with pytest.raises(requests.RequestException):
        requests.get(there.headers["Location"], timeout=30)
    assert len(requests.get(there.headers["Location"], timeout=30).content) == 100_000


def test_a_page_a_redirect_and_a_delay(forge: Sandbox, captain: Client) -> None:
    forge.faults(
        Fault("GET", "/user", html=True),
        Fault("GET", "/user", nth=2, redirect="http://localhost:1/elsewhere"),
        Fault("GET", "/user", nth=3, delay=0.2),
    )
    page, moved = captain("GET", "/user"), captain("GET", "/user")
    assert (page.status_code, page.headers["Content-Type"].split(";")[0]) == (502, "text/html")
    assert (moved.status_code, moved.headers["Location"]) == (302, "http://localhost:1/elsewhere")
    begun = time.monotonic()
    assert captain("GET", "/user").status_code == 200
    assert time.monotonic() - begun >= 0.2


def test_limits_carry_the_documented_headers(forge: Sandbox, captain: Client) -> None:
    forge.faults(Fault("GET", "/user", limit="primary"), Fault("GET", "/user", nth=2, limit="secondary", status=429))
    primary, secondary = captain("GET", "/user"), captain("GET", "/user")
    assert (primary.status_code, primary.headers["x-ratelimit-remaining"]) == (403, "0")
    assert int(primary.headers["x-ratelimit-reset"]) > time.time()
    assert (secondary.status_code, secondary.headers["retry-after"]) == (429, "60")
    assert "secondary rate limit" in secondary.json()["message"]


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_process_is_killed_at_a_call_and_what_it_leaves_running_hears_of_nothing(
    forge: Sandbox, captain: Client, tmp_path: Path, when: str, made: int
) -> None:
    victim = subprocess.Popen(["sleep", "600"])
    (tmp_path / "pid").write_text(str(victim.pid), encoding="utf-8")
    forge.faults(Fault("write", RELEASES, when=when, kill=str(tmp_path / "pid")))  # type: ignore[arg-type]
    assert captain("POST", RELEASES, DRAFT).status_code == 500
    assert victim.wait(30) == -9
    assert len(forge.releases("acme/app")) == made


def test_writes_are_every_verb_that_writes_and_pushes(forge: Sandbox, captain: Client, work: Path) -> None:
    forge.faults(Fault("write", "*", nth=0, status=500))
    assert captain("GET", RELEASES).status_code == 200
    assert captain("POST", RELEASES, DRAFT).status_code == 500
    commit(work, "second")
    assert git(work, "push", "origin", "HEAD:master", check=False).returncode != 0
    git(work, "fetch", "--quiet", "origin")


@pytest.mark.parametrize(("when", "arrives"), [("before", False), ("after", True)])
def test_the_answer_of_a_push_is_lost(forge: Sandbox, captain: Client, work: Path, when: str, arrives: bool) -> None:
    head = commit(work, "second")
    forge.faults(Fault("POST", "/acme/app.git/git-receive-pack", nth=0, when=when, reset=True))  # type: ignore[arg-type]
    assert git(work, "push", "origin", "HEAD:master", check=False).returncode != 0
    forge.no_faults()
    found = captain.get("/repos/acme/app/git/ref/heads/master")["object"]["sha"]
    assert (found == head) is arrives
    git(work, "push", "--quiet", "origin", "HEAD:master")
    assert captain.get("/repos/acme/app/git/ref/heads/master")["object"]["sha"] == head


def test_a_push_that_was_done_is_answered_with_an_error_at_once(forge: Sandbox, captain: Client, work: Path) -> None:
    head = commit(work, "second")
    forge.faults(Fault("POST", "/acme/app.git/git-receive-pack", when="after", status=503))
    answer = git(
        work, "-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=5", "push", "origin", "HEAD:master", check=False
    )
    assert "503" in answer.stderr, answer
    assert captain.get("/repos/acme/app/git/ref/heads/master")["object"]["sha"] == head


def test_git_tries_again_by_itself_where_an_old_connection_was_reset(
    forge: Sandbox, captain: Client, work: Path
) -> None:
    """curl takes it for a connection that had died meanwhile: one reset is not enough to stop a push."""
    head = commit(work, "second")
    forge.faults(Fault("POST", "/acme/app.git/git-receive-pack", reset=True))
    git(work, "push", "--quiet", "origin", "HEAD:master")
    assert captain.get("/repos/acme/app/git/ref/heads/master")["object"]["sha"] == head


def test_a_push_is_done_and_answered_with_an_error(forge: Sandbox, captain: Client, work: Path) -> None:
    head = commit(work, "second")
    forge.faults(Fault("POST", "/acme/app.git/git-receive-pack", when="after", status=502))
    pushed = git(work, "push", "origin", "HEAD:master", check=False)
    assert pushed.returncode != 0
    assert "502" in pushed.stderr
    assert captain.get("/repos/acme/app/git/ref/heads/master")["object"]["sha"] == head


def test_a_fetch_breaks_off_in_its_pack(forge: Sandbox, work: Path, tmp_path: Path) -> None:
    forge.faults(Fault("POST", "/acme/app.git/git-upload-pack", nth=0, cut=100))
    url = f"{forge.url}/acme/app.git"
    assert git(tmp_path, "clone", "--quiet", url, "broken", check=False).returncode != 0
    forge.no_faults()
    git(tmp_path, "clone", "--quiet", url, "whole")


def test_an_upload_is_done_and_its_answer_lost(forge: Sandbox, captain: Client, work: Path) -> None:
    draft = captain.post(RELEASES, **DRAFT)
    forge.faults(Fault("POST", f"{RELEASES}/*/assets", when="after", reset=True))
    with pytest.raises(requests.ConnectionError):
        captain.upload(draft, "a", b"content")
    (asset,) = captain.get(f"{RELEASES}/{draft['id']}/assets")
    assert (asset["name"], asset["state"]) == ("a", "uploaded")


def test_calls_are_counted_across_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path / "forge") as forge:
        token, port = forge.token("captain"), forge.port
        forge.faults(Fault("GET", "/user", nth=2, status=503))
        client = Client(forge, token)
        assert client("GET", "/user").status_code == 200
        client.close()
    with serving(tmp_path / "forge", port) as forge:
        client = Client(forge, token)
        assert [client("GET", "/user").status_code for _ in range(2)] == [503, 200]
        client.close()


def test_what_a_fault_answered_is_no_answer_of_the_forge(forge: Sandbox, captain: Client) -> None:
    forge.faults(Fault("POST", RELEASES, status=500), Fault("POST", RELEASES, nth=2, when="after", status=500))
    for _ in range(2):
        captain("POST", RELEASES, DRAFT)
    assert [one.status for one in forge.exchanges() if one.method == "POST"] == [201]
    assert captain.token not in json.dumps([dict(one.request_headers) for one in forge.exchanges()])


def test_what_goes_wrong_may_come_again(forge: Sandbox, captain: Client) -> None:
    forge.faults(Fault("GET", "/repos/acme/app", nth=2, every=3, status=503))
    codes = [captain("GET", "/repos/acme/app").status_code for _ in range(8)]
    assert codes == [200, 503, 200, 200, 503, 200, 200, 503]
