"""Issues, pull requests and the search of the sandbox."""

from __future__ import annotations

import itertools
from pathlib import Path

from release.sandbox.forge import Sandbox, merge
from tests.forge import Client, clone, commit, git, serving

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


def topic(captain: Client, work: Path, name: str, **said: str) -> int:
    """A pull request of one commit on the first one."""
    git(work, "checkout", "--quiet", "-B", name, "HEAD")
    (work / f"{name}.txt").write_text(f"{name}\n", encoding="utf-8")
    commit(work, f"wip {name}")
    git(work, "push", "--quiet", "origin", name)
    git(work, "checkout", "--quiet", "master")
    made = captain.post(f"{REPO}/pulls", head=name, base="master", **({"title": f"fix: {name}"} | said))
    return int(made["number"])


def message(work: Path, sha: str) -> str:
    git(work, "fetch", "--quiet", "origin")
    return git(work, "show", "--no-patch", "--format=%an|%cn|%p|%B", sha).stdout.strip()


def test_a_squash_is_one_commit_with_title_number_and_description(forge: Sandbox, captain: Client, work: Path) -> None:
    first = git(work, "rev-parse", "--short", "HEAD").stdout.strip()
    number = topic(captain, work, "one", body="Why.\n\nBREAKING CHANGE: gone")
    merged = merge(forge, "acme/app", number, "captain", method="squash")
    assert message(work, merged) == f"captain|captain|{first}|fix: one (#1)\n\nWhy.\n\nBREAKING CHANGE: gone"
    assert git(work, "show", f"{merged}:one.txt").stdout == "one\n"
    shown = captain.get(f"{REPO}/pulls/1")
    assert (shown["merged"], shown["merge_commit_sha"], shown["state"]) == (True, merged, "closed")
    assert captain.get(f"{REPO}/git/ref/heads/master")["object"]["sha"] == merged


def test_a_pull_request_is_merged_by_the_api(captain: Client, work: Path) -> None:
    first = git(work, "rev-parse", "--short", "HEAD").stdout.strip()
    for name in ("one", "two", "three"):
        topic(captain, work, name)
    place = f"{REPO}/pulls/{{}}/merge".format
    assert captain("PUT", place(1), {"sha": "0" * 40}).status_code == 409
    assert captain("PUT", place(1), {"merge_method": "octopus"}).status_code == 422
    answer = captain.good(captain("PUT", place(1), {}))
    assert answer["merged"] is True
    assert message(work, answer["sha"]).endswith("|Merge pull request #1 from acme/one\n\nfix: one")
    assert message(work, answer["sha"]).split("|")[2].split()[0] == first
    assert captain("PUT", place(1), {}).status_code == 405
    said = {"merge_method": "squash", "commit_title": "feat: mine", "commit_message": "So be it."}
    answer = captain.good(captain("PUT", place(2), said))
    assert message(work, answer["sha"]).endswith("|feat: mine\n\nSo be it.")
    captain.patch(f"{REPO}/pulls/3", state="closed")
    assert captain("PUT", place(3), {}).status_code == 405


def test_what_conflicts_is_not_merged(forge: Sandbox, captain: Client, work: Path) -> None:
    for name, text in (("one", "ours"), ("two", "theirs")):
        git(work, "checkout", "--quiet", "-B", name, "origin/master")
        (work / "app.txt").write_text(text, encoding="utf-8")
        commit(work, name)
        git(work, "push", "--quiet", "origin", name)
        captain.post(f"{REPO}/pulls", head=name, base="master", title=name)
    merged = merge(forge, "acme/app", 1, "captain", method="squash")
    assert captain("PUT", f"{REPO}/pulls/2/merge", {"merge_method": "squash"}).status_code == 405
    assert captain.get(f"{REPO}/git/ref/heads/master")["object"]["sha"] == merged
    assert captain.get(f"{REPO}/pulls/2")["state"] == "open"


def test_pull_requests_are_listed_by_their_last_change(tmp_path: Path) -> None:
    seconds = itertools.count(1_700_000_000)
    with serving(tmp_path / "forge", clock=lambda: float(next(seconds))) as forge:
        forge.repository("acme/app", push=("captain",))
        captain = Client(forge, forge.token("captain"))
        work = clone(forge, captain.token, "acme/app", tmp_path / "work")
        for name in ("one", "two", "three"):
            topic(captain, work, name)
        captain.post(f"{REPO}/issues/1/labels", labels=["kind/bug"])
        merge(forge, "acme/app", 2, "captain", method="squash")

        def listed(query: str) -> list[int]:
            return [one["number"] for one in captain.get(f"{REPO}/pulls?{query}")]

        assert listed("state=all") == listed("state=all&sort=created&direction=desc") == [3, 2, 1]
        assert listed("state=all&direction=asc") == [1, 2, 3]
        assert listed("state=all&sort=updated&direction=desc") == [2, 1, 3]
        assert listed("state=all&sort=updated") == [3, 1, 2]
        assert listed("state=closed&sort=updated&direction=desc") == [2]
        assert listed("") == [3, 1]
        (label,) = captain.get(f"{REPO}/pulls/1")["labels"]
        assert label["name"] == "kind/bug"
        captain.close()


def test_a_rebase_makes_every_commit_anew_and_keeps_who_wrote_it(forge: Sandbox, captain: Client, work: Path) -> None:
    number = topic(captain, work, "one")
    git(work, "checkout", "--quiet", "one")
    (work / "more.txt").write_text("more\n", encoding="utf-8")
    commit(work, "fix: more\n\nAnd why.")
    git(work, "push", "--quiet", "origin", "one")
    git(work, "checkout", "--quiet", "master")
    (work / "app.txt").write_text("two\n", encoding="utf-8")
    base = commit(work, "meanwhile")
    git(work, "push", "--quiet", "origin", "master")
    merged = merge(forge, "acme/app", number, "captain", method="rebase")
    git(work, "fetch", "--quiet", "origin")
    told = git(work, "log", "--format=%an|%cn|%s|%b", f"{base}..{merged}").stdout.split("\n")
    assert [line for line in told if line] == ["Dev|captain|fix: more|And why.", "Dev|captain|wip one|"]
    names = git(work, "ls-tree", "--name-only", merged).stdout.split()
    assert (names, git(work, "show", f"{merged}:app.txt").stdout) == (["app.txt", "more.txt", "one.txt"], "two\n")
    assert captain.get(f"{REPO}/pulls/{number}")["merge_commit_sha"] == merged
    assert captain.get(f"{REPO}/git/ref/heads/master")["object"]["sha"] == merged


def test_a_rebase_is_new_commits_even_where_none_had_to_be(forge: Sandbox, captain: Client, work: Path) -> None:
    number = topic(captain, work, "one")
    answer = captain.good(captain("PUT", f"{REPO}/pulls/{number}/merge", {"merge_method": "rebase"}))
    assert answer["sha"] != captain.get(f"{REPO}/pulls/{number}")["head"]["sha"]
    assert message(work, answer["sha"]).endswith("|wip one")


def test_without_its_branch_a_pull_request_is_closed(captain: Client, work: Path) -> None:
    number = topic(captain, work, "one")
    assert captain("DELETE", f"{REPO}/git/refs/heads/one").status_code == 204
    shown = captain.get(f"{REPO}/pulls/{number}")
    assert (shown["state"], shown["merged"]) == ("closed", False)
    assert captain.get(f"{REPO}/pulls") == []
