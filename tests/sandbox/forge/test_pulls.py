"""Issues, pull requests and the search of the sandbox."""

from __future__ import annotations

from pathlib import Path

from release.sandbox.forge import Sandbox, merge
from tests.forge import Client, commit, git

REPO = "/repos/acme/app"


def test_an_issue_is_made_commented_labelled_and_closed(captain: Client) -> None:
    made = captain.post(f"{REPO}/issues", title="v1 is broken", body="really", labels=["release"])
    assert (made["number"], made["state"]) == (1, "open")
    captain.post(f"{REPO}/issues/1/comments", body="me too")
    assert [one["body"] for one in captain.get(f"{REPO}/issues/1/comments")] == ["me too"]
    captain.post(f"{REPO}/issues/1/labels", labels=["bad"])
    assert [one["name"] for one in captain.get(f"{REPO}/issues/1/labels")] == ["release", "bad"]
    assert [one["name"] for one in captain.get(f"{REPO}/labels")] == ["release", "bad"]
    closed = captain.patch(f"{REPO}/issues/1", state="closed", body="was")
    assert (closed["state_reason"], closed["comments"], closed["body"]) == ("completed", 1, "was")
    assert captain.get(f"{REPO}/issues") == []
    assert [one["number"] for one in captain.get(f"{REPO}/issues?state=all&labels=bad")] == [1]
    assert captain("POST", f"{REPO}/issues", {"title": ""}).status_code == 422
    assert captain("GET", f"{REPO}/issues/9").status_code == 404


def test_the_search_understands_what_people_write(captain: Client, anybody: Client) -> None:
    captain.post(f"{REPO}/issues", title="Release 1.30 is stuck", labels=["help me"])
    captain.post(f"{REPO}/issues", title="Other", body="release 1.30")

    def found(query: str) -> list[int]:
        return [one["number"] for one in captain.get("/search/issues", params={"q": query})["items"]]

    assert found("repo:acme/app is:issue is:open 1.30") == [2, 1]
    assert found('repo:acme/app in:title "Release 1.30"') == [1]
    assert found('label:"help me"') == [1]
    assert found("repo:acme/other 1.30") == []
    assert found("is:pr") == []
    assert captain("GET", "/search/issues?q=").status_code == 422
    assert anybody.get("/search/issues?q=Other")["total_count"] == 1


def test_a_pull_request_is_merged_and_found_by_its_commit(forge: Sandbox, captain: Client, work: Path) -> None:
    (work / "b.txt").write_text("b\n", encoding="utf-8")
    change = commit(work, "change")
    git(work, "push", "--quiet", "origin", "HEAD:refs/heads/topic")
    made = captain.post(f"{REPO}/pulls", title="Change", head="topic", base="master", body="why")
    assert (made["number"], made["mergeable"], made["commits"]) == (1, True, 1)
    again = captain("POST", f"{REPO}/pulls", {"title": "Change", "head": "acme:topic", "base": "master"})
    assert "already exists" in again.json()["errors"][0]["message"]
    assert [one["number"] for one in captain.get(f"{REPO}/pulls?head=acme:topic&base=master")] == [1]
    merged = merge(forge, "acme/app", 1, "captain")
    shown = captain.get(f"{REPO}/pulls/1")
    assert (shown["merged"], shown["merge_commit_sha"], shown["state"]) == (True, merged, "closed")
    for sha in (change, merged):
        assert [one["number"] for one in captain.get(f"{REPO}/commits/{sha}/pulls")] == [1]
    assert captain.get(f"{REPO}/pulls") == []
    assert "pull_request" in captain.get(f"{REPO}/issues/1")
    assert "Change" in captain.post(f"{REPO}/releases/generate-notes", tag_name="v1")["body"]


def test_a_branch_that_was_pushed_into_its_base_is_merged(captain: Client, work: Path) -> None:
    commit(work, "change")
    git(work, "push", "--quiet", "origin", "HEAD:refs/heads/topic")
    captain.post(f"{REPO}/pulls", title="Change", head="topic", base="master")
    git(work, "push", "--quiet", "origin", "HEAD:master")
    assert captain.get(f"{REPO}/pulls/1")["merged"] is True


def test_a_pull_request_needs_branches_that_differ(captain: Client, work: Path) -> None:
    git(work, "push", "--quiet", "origin", "HEAD:refs/heads/same")
    same = captain("POST", f"{REPO}/pulls", {"title": "x", "head": "same", "base": "master"})
    assert "No commits between" in same.json()["errors"][0]["message"]
    gone = captain("POST", f"{REPO}/pulls", {"title": "x", "head": "nowhere", "base": "master"})
    assert gone.json()["errors"][0]["field"] == "head"


def test_a_pull_request_is_closed_and_opened_again(captain: Client, work: Path) -> None:
    commit(work, "change")
    git(work, "push", "--quiet", "origin", "HEAD:refs/heads/topic")
    captain.post(f"{REPO}/pulls", title="Change", head="topic", base="master", draft=True)
    assert captain.patch(f"{REPO}/pulls/1", state="closed")["state"] == "closed"
    assert captain.patch(f"{REPO}/pulls/1", state="open", title="Other")["title"] == "Other"
    assert captain("PATCH", f"{REPO}/pulls/1", {"base": "nowhere"}).status_code == 422
