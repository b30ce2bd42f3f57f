"""Releases and assets: found, made, changed and published as GitHub does it, quirks included."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release.adapters.github import GitHub, Repository
from release.core.forge import Entry
from release.errors import Refused, Uncertain, Unseen
from release.sandbox.forge import Fault, Sandbox
from tests.forge import clone, commit, git
from tests.serving import Reply, Seen, Server

As = Callable[..., Repository]
Told = Callable[..., tuple[Repository, Server]]


def head(work: Path) -> str:
    return git(work, "rev-parse", "HEAD").stdout.strip()


def entry(work: Path, tag: str = "v1.0.0", **other: Any) -> Entry:
    return Entry(**{"tag": tag, "target": head(work), "name": tag, "body": "notes", "prerelease": False, **other})


def tagged(work: Path, tag: str = "v1.0.0") -> None:
    git(work, "tag", "-a", tag, "-m", tag)
    git(work, "push", "--quiet", "origin", tag)


def a_release(**other: Any) -> dict[str, Any]:
    return {
        "id": 7, "tag_name": "v1", "target_commitish": "master", "draft": False, "prerelease": False, "html_url": "https://h/r",
        "upload_url": "https://h/up{?name,label}", "name": None, "body": None, "published_at": "2030-01-31T12:00:00Z", "assets": [],
    } | other  # fmt: skip


def test_a_draft_is_made_listed_filled_and_published(
    app: Repository, sandbox: Sandbox, work: Path, tmp_path: Path
) -> None:
    tagged(work)
    number = app.draft(entry(work))
    (draft,) = app.releases()
    assert (draft.id, draft.tag, draft.draft, draft.at, draft.target, draft.body) == (number, "v1.0.0", True, "", head(work), "notes")  # fmt: skip
    assert app.published("v1.0.0") is None
    content = bytes(range(256)) * 3000
    (tmp_path / "app.bin").write_bytes(content)
    app.upload(number, "app.bin", tmp_path / "app.bin")
    app.upload(number, "app+1.txt", b"text")
    with pytest.raises(Refused, match=r"cannot upload empty to acme/app: .*Bad Content-Length"):
        app.upload(number, "empty", b"")
    found = {one.name: one for one in app.assets(number)}
    assert (found["app.bin"].size, found["app.bin"].digest) == (len(content), hashlib.sha256(content).hexdigest())
    assert all(one.complete for one in found.values())
    assert b"".join(app.download(found["app.bin"].id)) == content
    app.publish(number, entry(work))
    out = app.published("v1.0.0")
    assert out is not None
    assert (out.id, out.draft, len(out.assets)) == (number, False, 2)
    assert out.at.endswith("+00:00")
    assert app.release(number) == out


def test_a_release_is_never_published_as_the_latest(app: Repository, sandbox: Sandbox, work: Path) -> None:
    tagged(work)
    app.publish(app.draft(entry(work)), entry(work))
    tagged(work, "v2.0.0")
    app.create(entry(work, "v2.0.0"))
    bodies = [
        one.request_body or "" for one in sandbox.exchanges() if one.method in ("POST", "PATCH") and not one.upload
    ]
    assert len(bodies) == 3
    assert all('"make_latest":"false"' in body for body in bodies)


def test_every_change_names_tag_and_target_so_that_a_draft_stays_bound(
    app: Repository, sandbox: Sandbox, work: Path
) -> None:
    number = app.draft(entry(work))
    app.revise(number, entry(work, body="better notes", prerelease=True))
    changed = app.release(number)
    assert changed is not None
    assert (changed.tag, changed.body, changed.prerelease, changed.draft) == ("v1.0.0", "better notes", True, True)
    (patch,) = (one for one in sandbox.exchanges() if one.method == "PATCH")
    assert '"tag_name":"v1.0.0"' in (patch.request_body or "")
    assert f'"target_commitish":"{head(work)}"' in (patch.request_body or "")
    assert "make_latest" not in (patch.request_body or ""), "what is the latest stays it"


def test_what_is_out_can_be_revised_and_stays_out(app: Repository, work: Path) -> None:
    tagged(work)
    app.create(entry(work))
    out = app.published("v1.0.0")
    assert out is not None
    app.revise(out.id, entry(work, body="withdrawn", prerelease=True))
    after = app.published("v1.0.0")
    assert after is not None
    assert (after.id, after.body, after.prerelease, after.draft) == (out.id, "withdrawn", True, False)


def test_there_is_one_release_for_a_tag(app: Repository, work: Path) -> None:
    tagged(work)
    app.create(entry(work))
    with pytest.raises(
        Refused, match=r"cannot create release v1.0.0 of acme/app: .* 422 \(Validation Failed: .*already_exists"
    ):
        app.create(entry(work))


def test_a_second_asset_of_a_name_is_refused(app: Repository, work: Path) -> None:
    number = app.draft(entry(work))
    app.upload(number, "app", b"one")
    with pytest.raises(Refused, match=r"cannot upload app to acme/app: .*already_exists"):
        app.upload(number, "app", b"two")
    (asset,) = app.assets(number)
    assert b"".join(app.download(asset.id)) == b"one"


def test_an_asset_that_the_forge_renames_is_told(app: Repository, work: Path) -> None:
    number = app.draft(entry(work))
    with pytest.raises(Refused, match=r"keeps my app under another name, my.app"):
        app.upload(number, "my app", b"one")


def test_an_upload_that_broke_leaves_something_incomplete_that_can_be_discarded(
    app: Repository, sandbox: Sandbox, work: Path
) -> None:
    number = app.draft(entry(work))
    sandbox.faults(Fault(method="POST", path="/repos/*/releases/*/assets", status=502, starter=True))
    with pytest.raises(Uncertain, match=r"upload app to acme/app: .* was asked, but its answer was lost"):
        app.upload(number, "app", b"one")
    (left,) = app.assets(number)
    assert (left.name, left.complete, left.digest) == ("app", False, "")
    app.discard(left.id)
    app.upload(number, "app", b"one")
    assert [one.complete for one in app.assets(number)] == [True]


def test_a_draft_can_be_dropped_and_a_release_cannot(app: Repository, work: Path) -> None:
    number = app.draft(entry(work))
    app.drop(number)
    assert app.release(number) is None
    tagged(work)
    app.create(entry(work))
    out = app.published("v1.0.0")
    assert out is not None
    with pytest.raises(Refused, match=f"release {out.id} of acme/app is no draft, and is not deleted"):
        app.drop(out.id)
    assert app.published("v1.0.0") == out
    with pytest.raises(Refused, match=r"is no draft"):
        app.drop(4711)


@pytest.mark.parametrize("tag", ["v1.35.8-rc2+rke2r1", "release/v1", "v1%20", "ü", "v1#x&y=z;'"])
def test_any_tag_can_be_published_and_found(app: Repository, work: Path, tag: str) -> None:
    tagged(work, tag)
    app.create(entry(work, tag))
    found = app.published(tag)
    assert found is not None
    assert found.tag == tag
    assert app.tagged(tag) == head(work)


def test_all_pages_of_a_list_are_read(app: Repository, sandbox: Sandbox, work: Path) -> None:
    numbers = [app.draft(entry(work, f"v{n}.0.0")) for n in range(35)]
    assert sorted(one.id for one in app.releases()) == sorted(numbers)
    pages = [one.query for one in sandbox.exchanges() if one.method == "GET" and one.path.endswith("/releases")]
    assert len(pages) == 2
    number = numbers[0]
    for n in range(101):
        app.upload(number, f"file-{n}", b"x")
    assert len(app.assets(number)) == 101


def test_who_cannot_push_is_told_that_drafts_cannot_be_seen(as_: As, sandbox: Sandbox, work: Path) -> None:
    stranger = as_(sandbox.token("stranger"))
    with pytest.raises(
        Unseen,
        match=r"the drafts of acme/app cannot be seen; the token of GH_TOKEN cannot write to acme/app: give it contents: write there",
    ):
        next(stranger.releases())
    assert stranger.published("v1.0.0") is None
    with pytest.raises(Refused, match=r"the token of GH_TOKEN cannot reach acme/app .*; give it contents: write there"):
        stranger.draft(entry(work))


def test_what_is_not_found_in_a_repository_that_cannot_be_seen_is_unseen(as_: As, sandbox: Sandbox, work: Path) -> None:
    sandbox.repository("acme/secret", private=True)
    hidden = as_(sandbox.token("stranger"), "acme/secret")
    for look in (lambda: hidden.published("v1"), lambda: hidden.release(1), lambda: hidden.tagged("v1")):
        with pytest.raises(
            Unseen,
            match=r"cannot look at acme/secret: the token of GH_TOKEN cannot reach acme/secret \(Not Found\); give it contents: read there",
        ):
            look()


def test_a_published_immutable_release_takes_no_asset(app: Repository, sandbox: Sandbox, work: Path) -> None:
    sandbox.repository("acme/app", push=("captain",), immutable_releases=True)
    tagged(work)
    number = app.draft(entry(work))
    app.publish(number, entry(work))
    out = app.published("v1.0.0")
    assert out is not None
    assert out.immutable
    with pytest.raises(Refused, match=r"cannot upload app to acme/app: .* 422"):
        app.upload(number, "app", b"late")
    app.revise(number, entry(work, body="a notice"))


def test_a_note_that_is_too_long_is_refused_in_the_forges_words(app: Repository, work: Path) -> None:
    with pytest.raises(Refused, match=r"body is too long \(maximum is 125000 characters\)"):
        app.draft(entry(work, body="x" * 125_001))


@pytest.mark.parametrize("status", [500, 502])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_write_whose_answer_is_lost_is_uncertain_and_sent_once(
    app: Repository, sandbox: Sandbox, work: Path, status: int, when: Any
) -> None:
    sandbox.faults(Fault(method="POST", path="/repos/*/releases", when=when, status=status))
    with pytest.raises(Uncertain):
        app.draft(entry(work))
    assert len(list(app.releases())) == (when == "after")
    sandbox.faults(Fault(method="PATCH", path="*", when=when, reset=True))
    number = app.draft(entry(work))
    with pytest.raises(Uncertain):
        app.publish(number, entry(work))


def test_reads_go_through_what_passes(app: Repository, sandbox: Sandbox, work: Path) -> None:
    sandbox.faults(
        Fault(method="GET", path="*/releases", nth=1, status=503),
        Fault(method="GET", path="*/releases", nth=2, reset=True),
        Fault(method="GET", path="*/releases", nth=3, html=True),
    )
    number = app.draft(entry(work))
    assert [one.id for one in app.releases()] == [number]
    sandbox.no_faults()
    sandbox.faults(Fault(method="GET", path="*/releases/tags/*", nth=0, html=True))
    with pytest.raises(Unseen, match=r"cannot look for release v1 of acme/app"):
        app.published("v1")


def onward(seen: Seen, path: str) -> dict[str, str]:
    """A link to the next page on the same server."""
    return {"Link": f'<http://{seen.headers["host"]}{path}>; rel="next"'}


def test_a_page_that_is_missing_is_not_taken_for_the_end_of_the_list(told: Told) -> None:
    app, _ = told(
        {
            "GET /releases": lambda seen: Reply(200, [a_release()], onward(seen, "/api/v3/more")),
            "GET /api/v3/more": Reply(500),
        }
    )
    with pytest.raises(Unseen, match=r"cannot list the releases of acme/app"):
        list(app.releases())


def test_pages_and_uploads_elsewhere_get_nothing(told: Told) -> None:
    elsewhere = {"Link": '<https://evil.example.org/more>; rel="next"'}
    app, server = told({
        "GET /releases": Reply(200, [a_release()], elsewhere),
        "GET /releases/8": Reply(200, a_release(id=8, upload_url="https://evil.example.org/up{?name}")),
    })  # fmt: skip
    with pytest.raises(Unseen, match=f"https://evil.example.org/more is not on {server.url}"):
        list(app.releases())
    with pytest.raises(Refused, match=f"https://evil.example.org/up is not on {server.url}"):
        app.upload(8, "app", b"x")


def test_a_list_that_never_ends_is_ended(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release.adapters.github.door.PAGES", 5)
    app, _ = told({"GET /releases": lambda seen: Reply(200, [], onward(seen, seen.path))})
    with pytest.raises(Unseen, match=r"the list does not end"):
        list(app.releases())


@pytest.mark.parametrize(
    "shape",
    [{"id": "7"}, {"id": None}, {"draft": "false"}, {"tag_name": None}, {"assets": [{"id": 1}]}, {"prerelease": 0}],
)
def test_a_release_in_another_shape_is_no_answer(told: Told, shape: dict[str, Any]) -> None:
    app, _ = told({"GET /releases/7": Reply(200, a_release(**shape))})
    with pytest.raises(Unseen, match=r"its answer is not what it should be"):
        app.release(7)


@pytest.mark.parametrize(
    ("digest", "hex"), [("sha256:abc", "abc"), (None, ""), ("sha512:abc", ""), ("md5", ""), ("", "")]
)
def test_only_sha256_is_a_digest(told: Told, digest: str | None, hex: str) -> None:
    asset = {"id": 1, "name": "a", "size": 1, "state": "uploaded", "digest": digest}
    app, _ = told({"GET /releases/7": Reply(200, a_release(assets=[asset]))})
    found = app.release(7)
    assert found is not None
    assert found.assets[0].digest == hex


def test_a_draft_is_never_what_is_out(told: Told) -> None:
    app, _ = told(
        {"GET /releases/tags/v1": Reply(200, a_release(draft=True)), "GET /releases/tags/v2": Reply(200, a_release())}
    )
    assert app.published("v1") is None
    assert app.published("v2") is not None


@pytest.mark.parametrize("tag", ["", "..", "../../x", "a/../b", "a//b", "/a", "."])
def test_a_tag_that_would_be_another_path_is_not_asked_for(told: Told, tag: str) -> None:
    app, server = told({})
    with pytest.raises(Unseen, match=r"is no name that a forge could have"):
        app.published(tag)
    assert server.seen == []


def test_commits_are_not_needed_twice(app: Repository, sandbox: Sandbox, work: Path) -> None:
    commit(work, "second")
    for tag in ("a", "b", "c"):
        assert app.published(tag) is None
    assert len([one for one in sandbox.exchanges() if one.path == "/repos/acme/app"]) == 1


@pytest.mark.parametrize("call", ["create", "publish", "revise"])
def test_a_page_of_a_proxy_is_not_a_release(told: Told, work: Path, call: str) -> None:
    page = Reply(200, b"<html>sign in first</html>", {"Content-Type": "text/html"})
    app, _ = told({"POST /releases": page, "PATCH /releases/7": page})
    with pytest.raises(Uncertain, match=r"it answered with text/html, not with JSON"):
        app.create(entry(work)) if call == "create" else getattr(app, call)(7, entry(work))


def test_a_write_that_could_not_look_first_is_certainly_not_done(app: Repository, sandbox: Sandbox, work: Path) -> None:
    number = app.draft(entry(work))
    again = GitHub.at({"GITHUB_API_URL": sandbox.api_url, "GH_TOKEN": sandbox.token("captain")})
    fresh = again.forge("acme/app")
    again._http._backoff = 0.001
    sandbox.faults(Fault(method="GET", path=f"*/releases/{number}", nth=0, status=502))
    with pytest.raises(Refused, match=rf"cannot look at release {number} of acme/app"):
        fresh.upload(number, "app", b"x")
    with pytest.raises(Refused, match=rf"cannot look at release {number} of acme/app"):
        fresh.drop(number)
    with pytest.raises(Refused, match=r"is no name that a forge could have"):
        fresh.start("../x.yml", "master", {})
    again.close()
    assert {one.method for one in sandbox.exchanges() if one.template.endswith("/{release_id}")} <= {"GET"}


BIG = """
import resource, sys
from pathlib import Path
from release.adapters.github import GitHub
api, token, number, path = sys.argv[1:]
app = GitHub.at({"GITHUB_API_URL": api, "GH_TOKEN": token}).forge("acme/app")
app.upload(int(number), "small", b"x")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
app.upload(int(number), "big", Path(path))
asset = next(one for one in app.assets(int(number)) if one.name == "big")
assert sum(map(len, app.download(asset.id))) == asset.size == 96 << 20
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_large_file_is_never_held(app: Repository, sandbox: Sandbox, token: str, work: Path, tmp_path: Path) -> None:
    number = app.draft(entry(work))
    with (tmp_path / "big").open("wb") as file:
        file.truncate(96 << 20)
    done = subprocess.run(
        [sys.executable, "-c", BIG, sandbox.api_url, token, str(number), str(tmp_path / "big")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 16 << 10, "KiB of memory for 96 MiB up and down"


@pytest.mark.parametrize("immutable", [False, True])
def test_a_release_loses_its_mark_of_a_prerelease_and_then_becomes_the_latest(
    sandbox: Sandbox, as_: As, tmp_path: Path, immutable: bool
) -> None:
    sandbox.repository("acme/marked", push=("captain",), immutable_releases=immutable)
    token = sandbox.token("captain")
    work = clone(sandbox, token, "acme/marked", tmp_path / "marked")
    app = as_(token, "acme/marked")
    assert app.latest() is None
    for tag in ("v1.0.0", "v1.1.0"):
        tagged(work, tag)
        app.create(entry(work, tag, prerelease=True))
    older, newer = app.published("v1.0.0"), app.published("v1.1.0")
    assert older is not None
    assert newer is not None
    with pytest.raises(Refused, match="Latest release cannot be draft or prerelease"):
        app.make_latest(newer.id)
    app.mark(older.id, prerelease=False)
    app.mark(newer.id, prerelease=False)
    assert app.latest() is None, "a mark that is taken away makes nothing the latest"
    app.make_latest(older.id)
    assert app.latest() == app.published("v1.0.0")
    app.make_latest(newer.id)
    latest = app.latest()
    assert latest is not None
    assert (latest.tag, latest.prerelease, latest.body, latest.target) == ("v1.1.0", False, "notes", head(work))
    app.mark(newer.id, prerelease=True)
    assert app.latest() == app.published("v1.0.0"), "what is marked again is no latest any more"


def test_the_latest_of_a_repository_that_cannot_be_seen_is_not_taken_for_none(as_: As, sandbox: Sandbox) -> None:
    with pytest.raises(Unseen):
        as_(sandbox.token("captain"), "acme/nowhere").latest()


def test_who_may_only_read_sets_no_marks(app: Repository, as_: As, sandbox: Sandbox, work: Path) -> None:
    tagged(work)
    app.create(entry(work, prerelease=True))
    found = app.published("v1.0.0")
    assert found is not None
    reader = as_(sandbox.token("reader"))
    with pytest.raises(Refused):
        reader.mark(found.id, prerelease=False)
    with pytest.raises(Refused):
        reader.make_latest(found.id)
    assert app.published("v1.0.0") == found
