"""Releases of the sandbox behave as GitHub's do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from release.sandbox.forge import Sandbox
from tests.forge import Client, address, commit, git

RELEASES = "/repos/acme/app/releases"


def test_a_draft_is_only_in_the_list_and_only_for_who_pushes(captain: Client, stranger: Client, work: Path) -> None:
    draft = captain.post(RELEASES, tag_name="v1.0.0", draft=True, name="One")
    assert [one["id"] for one in captain.get(RELEASES)] == [draft["id"]]
    assert stranger.get(RELEASES) == []
    assert captain("GET", f"{RELEASES}/tags/v1.0.0").status_code == 404
    assert captain.get(f"{RELEASES}/{draft['id']}")["draft"] is True
    assert stranger("GET", f"{RELEASES}/{draft['id']}").status_code == 404
    assert "/releases/tag/untagged-" in draft["html_url"]
    assert captain("GET", "/repos/acme/app/git/ref/tags/v1.0.0").status_code == 404


def test_there_may_be_many_drafts_for_a_tag_and_one_release(captain: Client, work: Path) -> None:
    first = captain.post(RELEASES, tag_name="v1.0.0", draft=True)
    second = captain.post(RELEASES, tag_name="v1.0.0", draft=True)
    assert first["id"] != second["id"]
    captain.post(RELEASES, tag_name="v1.0.0")
    refused = captain("POST", RELEASES, {"tag_name": "v1.0.0"})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"resource": "Release", "code": "already_exists", "field": "tag_name"}]
    late = captain("PATCH", f"{RELEASES}/{first['id']}", {"tag_name": "v1.0.0", "draft": False})
    assert late.json()["errors"][0]["code"] == "already_exists"


def test_publishing_a_draft_makes_a_lightweight_tag_where_there_is_none(captain: Client, work: Path) -> None:
    head = git(work, "rev-parse", "HEAD").stdout.strip()
    draft = captain.post(RELEASES, tag_name="v1.0.0", target_commitish=head, draft=True)
    captain.patch(f"{RELEASES}/{draft['id']}", tag_name="v1.0.0", target_commitish=head, draft=False)
    ref = captain.get("/repos/acme/app/git/ref/tags/v1.0.0")
    assert ref["object"]["type"] == "commit"
    assert ref["object"]["sha"] == head
    assert captain.get(f"{RELEASES}/tags/v1.0.0")["id"] == draft["id"]


def test_a_draft_that_is_changed_without_its_tag_loses_it(captain: Client, work: Path) -> None:
    draft = captain.post(RELEASES, tag_name="v1.0.0", draft=True)
    changed = captain.patch(f"{RELEASES}/{draft['id']}", name="Other")
    assert changed["tag_name"].startswith("untagged-")
    assert captain.patch(f"{RELEASES}/{draft['id']}", tag_name="v1.0.0")["tag_name"] == "v1.0.0"


def test_of_many_who_publish_the_same_tag_one_does(forge: Sandbox, captain: Client, work: Path) -> None:
    drafts = [captain.post(RELEASES, tag_name="v1", draft=True)["id"] for _ in range(3)]

    def publish(number: int) -> int:
        client = Client(forge, captain.token)
        try:
            if number < 3:
                body = {"tag_name": "v1", "draft": False}
                return client("PATCH", f"{RELEASES}/{drafts[number]}", body).status_code
            return client("POST", RELEASES, {"tag_name": "v1"}).status_code
        finally:
            client.close()

    with ThreadPoolExecutor(6) as pool:
        codes = sorted(pool.map(publish, range(6)))
    assert codes[0] in (200, 201)
    assert codes[1:] == [422] * 5


def test_a_tag_that_another_stands_in_the_way_of_is_refused(captain: Client, work: Path) -> None:
    captain.post(RELEASES, tag_name="v1")
    assert captain("POST", RELEASES, {"tag_name": "v1/x"}).status_code == 422


def test_the_list_is_sorted_by_the_date_of_the_commit(captain: Client, work: Path) -> None:
    for tag, date in (("v2", "2024-03-01T00:00:00+0000"), ("v1", "2024-02-01T00:00:00+0000")):
        commit(work, tag, date)
        git(work, "push", "--quiet", "origin", f"HEAD:refs/tags/{tag}")
        captain.post(RELEASES, tag_name=tag, make_latest="legacy")
    assert [one["tag_name"] for one in captain.get(RELEASES)] == ["v2", "v1"]
    assert captain.get(f"{RELEASES}/latest")["tag_name"] == "v2"


def test_the_latest_is_the_one_that_was_made_it(captain: Client, work: Path) -> None:
    captain.post(RELEASES, tag_name="v2")
    first = captain.post(RELEASES, tag_name="v1", make_latest="false")
    captain.post(RELEASES, tag_name="v3-rc1", prerelease=True)
    assert captain.get(f"{RELEASES}/latest")["tag_name"] == "v2"
    captain.patch(f"{RELEASES}/{first['id']}", make_latest="true")
    assert captain.get(f"{RELEASES}/latest")["tag_name"] == "v1"


def test_no_draft_and_no_prerelease_is_made_the_latest(captain: Client, work: Path) -> None:
    early = captain.post(RELEASES, tag_name="v1", prerelease=True, make_latest="false")
    draft = captain.post(RELEASES, tag_name="v2", draft=True)
    for one in (early, draft):
        refused = captain("PATCH", f"{RELEASES}/{one['id']}", {"tag_name": one["tag_name"], "make_latest": "true"})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["message"] == "Latest release cannot be draft or prerelease."
    captain.patch(f"{RELEASES}/{early['id']}", prerelease=False, make_latest="true")
    assert captain.get(f"{RELEASES}/latest")["id"] == early["id"]


def test_nothing_is_the_latest_while_only_prereleases_are_out(captain: Client, work: Path) -> None:
    captain.post(RELEASES, tag_name="v1-rc1", prerelease=True)
    assert captain("GET", f"{RELEASES}/latest").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tag_name": "a b"}, "tag_name"),
        ({"tag_name": "v1", "body": "x" * 125_001}, "body"),
        ({"tag_name": "v1", "target_commitish": "nowhere"}, "target_commitish"),
    ],
)
def test_what_github_refuses_is_refused_with_its_field(captain: Client, work: Path, body: object, field: str) -> None:
    refused = captain("POST", RELEASES, body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == field


def test_a_body_of_125000_characters_is_taken(captain: Client, work: Path) -> None:
    assert len(captain.post(RELEASES, tag_name="v1", body="ä" * 125_000)["body"]) == 125_000


def test_a_missing_or_misshapen_member_is_named(captain: Client, work: Path) -> None:
    assert "tag_name" in captain("POST", RELEASES, {}).json()["message"]
    assert "draft" in captain("POST", RELEASES, {"tag_name": "v1", "draft": "yes"}).json()["message"]
    assert captain("POST", RELEASES, {"tag_name": "v1", "make_latest": "no"}).status_code == 422
    assert captain("POST", RELEASES, data=b"{", headers={"Content-Type": "application/json"}).status_code == 400


def test_who_may_not_push_cannot_see_where_to_write(stranger: Client, anybody: Client, work: Path) -> None:
    assert stranger("POST", RELEASES, {"tag_name": "v1"}).status_code == 404
    assert anybody("POST", RELEASES, {"tag_name": "v1"}).status_code == 401


def test_a_target_that_changes_workflows_asks_for_the_right_to(forge: Sandbox, captain: Client, work: Path) -> None:
    (work / ".github" / "workflows").mkdir(parents=True)
    (work / ".github" / "workflows" / "ci.yml").write_text("on: push\n", encoding="utf-8")
    commit(work, "ci")
    git(work, "push", "--quiet", "origin", "master")
    plain = Client(forge, forge.token("captain", scopes=("repo",)))
    fine = Client(forge, forge.token("captain", repositories=("acme/app",), permissions={"contents": "write"}))
    assert plain("POST", RELEASES, {"tag_name": "v1"}).status_code == 404
    assert fine("POST", RELEASES, {"tag_name": "v1"}).status_code == 403
    assert captain.post(RELEASES, tag_name="v1")["tag_name"] == "v1"
    plain.close()
    fine.close()


def test_an_immutable_release_locks_its_tag_and_its_assets(forge: Sandbox, captain: Client, work: Path) -> None:
    forge.repository("acme/app", push=("captain",), immutable_releases=True)
    assert captain.get("/repos/acme/app/immutable-releases")["enabled"] is True
    draft = captain.post(RELEASES, tag_name="v1", draft=True)
    asset = captain.good(captain.upload(draft, "a.txt", b"one"))
    out = captain.patch(f"{RELEASES}/{draft['id']}", tag_name="v1", draft=False)
    assert out["immutable"] is True
    assert captain.upload(out, "b.txt", b"two").status_code == 422
    assert captain("DELETE", f"{RELEASES}/assets/{asset['id']}").status_code == 422
    assert captain("PATCH", f"{RELEASES}/{out['id']}", {"tag_name": "v2"}).status_code == 422
    assert captain("DELETE", "/repos/acme/app/git/refs/tags/v1").status_code == 422
    pushed = git(work, "push", "origin", ":refs/tags/v1", check=False)
    assert "GH013" in pushed.stderr
    edited = captain.patch(
        f"{RELEASES}/{out['id']}", name="Withdrawn", body="gone", prerelease=True, make_latest="false"
    )
    assert (edited["name"], edited["body"], edited["prerelease"]) == ("Withdrawn", "gone", True)


def test_the_tag_of_a_deleted_immutable_release_is_burned(forge: Sandbox, captain: Client, work: Path) -> None:
    forge.repository("acme/app", push=("captain",), immutable_releases=True)
    out = captain.post(RELEASES, tag_name="v1")
    assert captain("DELETE", f"{RELEASES}/{out['id']}").status_code == 204
    assert captain("DELETE", "/repos/acme/app/git/refs/tags/v1").status_code == 204
    refused = captain("POST", RELEASES, {"tag_name": "v1"})
    assert refused.status_code == 422
    assert "immutable" in refused.json()["errors"][0]["message"]
    assert "cannot be used again" in git(work, "push", "origin", "HEAD:refs/tags/v1", check=False).stderr


def test_a_protected_tag_cannot_be_made_by_a_release(forge: Sandbox, captain: Client, work: Path) -> None:
    forge.protect("acme/app", tags=("v*",), allow=("boss",))
    refused = captain("POST", RELEASES, {"tag_name": "v1"})
    assert refused.status_code == 422
    assert "creations being restricted" in refused.json()["errors"][0]["message"]
    assert captain("GET", "/repos/acme/app/git/ref/tags/v1").status_code == 404


def test_listeners_hear_of_publication_and_not_of_drafts(forge: Sandbox, captain: Client, work: Path) -> None:
    heard: list[tuple[str, str]] = []
    forge.events.subscribe(lambda event: heard.append((event.name, event.payload.get("action", event.ref))))
    draft = captain.post(RELEASES, tag_name="v1", draft=True)
    assert heard == []
    captain.patch(f"{RELEASES}/{draft['id']}", tag_name="v1", draft=False, prerelease=True)
    assert heard == [("push", "refs/tags/v1"), ("release", "published"), ("release", "prereleased")]


def test_generated_notes_link_to_what_changed(captain: Client, work: Path) -> None:
    captain.post(RELEASES, tag_name="v1")
    commit(work, "second")
    git(work, "push", "--quiet", "origin", "master")
    notes = captain.post(f"{RELEASES}/generate-notes", tag_name="v2")
    assert notes["name"] == "v2"
    assert notes["body"].endswith("/acme/app/compare/v1...v2")


def test_hostile_names_are_data(forge: Sandbox, captain: Client, work: Path) -> None:
    for tag in ("--upload-pack=x", "v1;touch$IFS-x", "ünïcode", "v1.0.0+rke2r1", "a/b"):
        made = captain.post(RELEASES, tag_name=tag, name="${{ github.token }}\x1b[31m", body="::set-output::")
        found = captain.get(f"{RELEASES}/tags/{quote(tag, safe='')}")
        assert found["id"] == made["id"]
        assert found["name"] == "${{ github.token }}\x1b[31m"
    assert address(forge, captain.token, "acme/app") in git(work, "remote", "get-url", "origin").stdout
