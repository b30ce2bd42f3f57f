"""Refs, git's objects, files and history over the API agree with the bare repository."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from release.sandbox.forge import Sandbox
from tests.forge import Client, commit, git

REPO = "/repos/acme/app"


def test_refs_are_made_once_moved_forwards_and_deleted(captain: Client, work: Path) -> None:
    first = git(work, "rev-parse", "HEAD").stdout.strip()
    made = captain.post(f"{REPO}/git/refs", ref="refs/tags/v1", sha=first)
    assert made["object"] == {"type": "commit", "sha": first, "url": made["object"]["url"]}
    again = captain("POST", f"{REPO}/git/refs", {"ref": "refs/tags/v1", "sha": first})
    assert (again.status_code, again.json()["message"]) == (422, "Reference already exists")
    second = commit(work, "second")
    git(work, "push", "--quiet", "origin", "master")
    assert captain.patch(f"{REPO}/git/refs/tags/v1", sha=second)["object"]["sha"] == second
    back = captain("PATCH", f"{REPO}/git/refs/tags/v1", {"sha": first})
    assert back.json()["message"] == "Update is not a fast forward"
    assert captain.patch(f"{REPO}/git/refs/tags/v1", sha=first, force=True)["object"]["sha"] == first
    assert captain("DELETE", f"{REPO}/git/refs/tags/v1").status_code == 204
    assert captain("DELETE", f"{REPO}/git/refs/tags/v1").json()["message"] == "Reference does not exist"
    assert captain("PATCH", f"{REPO}/git/refs/tags/v1", {"sha": first}).status_code == 422
    assert captain("GET", f"{REPO}/git/ref/tags/v1").status_code == 404


def test_refs_outside_of_branches_and_tags_are_taken_unless_refused(
    forge: Sandbox, captain: Client, work: Path
) -> None:
    head = git(work, "rev-parse", "HEAD").stdout.strip()
    captain.post(f"{REPO}/git/refs", ref="refs/sluice/1.30", sha=head)
    assert captain.get(f"{REPO}/git/ref/sluice/1.30")["object"]["sha"] == head
    forge.repository("acme/app", push=("captain",), custom_refs=False)
    assert captain("POST", f"{REPO}/git/refs", {"ref": "refs/sluice/2", "sha": head}).status_code == 422
    assert "funny refname" in git(work, "push", "origin", "HEAD:refs/sluice/2", check=False).stderr


def test_matching_refs_are_found_by_their_beginning(captain: Client, work: Path) -> None:
    git(work, "push", "--quiet", "origin", "HEAD:refs/heads/release-1", "HEAD:refs/heads/release-2")
    found = captain.get(f"{REPO}/git/matching-refs/heads/release-")
    assert [one["ref"] for one in found] == ["refs/heads/release-1", "refs/heads/release-2"]
    assert captain.get(f"{REPO}/git/matching-refs/heads/nothing") == []


def test_bad_refs_are_refused(captain: Client, work: Path) -> None:
    head = git(work, "rev-parse", "HEAD").stdout.strip()
    for name in ("master", "refs/x", "refs/heads/a..b", "refs/heads/--x y"):
        assert captain("POST", f"{REPO}/git/refs", {"ref": name, "sha": head}).status_code == 422
    gone = captain("POST", f"{REPO}/git/refs", {"ref": "refs/heads/x", "sha": "1" * 40})
    assert gone.json()["message"] == "Object does not exist"


def test_protected_refs_are_refused_by_the_api_too(forge: Sandbox, captain: Client, work: Path) -> None:
    head = git(work, "rev-parse", "HEAD").stdout.strip()
    forge.protect("acme/app", branches=("master",), tags=("v*",), allow=("boss",))
    refused = captain("POST", f"{REPO}/git/refs", {"ref": "refs/tags/v1", "sha": head})
    assert refused.status_code == 422
    assert "rule violations" in refused.json()["message"]
    assert captain("DELETE", f"{REPO}/git/refs/heads/master").status_code == 422
    body = {"message": "m", "content": "YQ=="}
    assert captain("PUT", f"{REPO}/contents/new.txt", body).status_code == 409


def test_an_annotated_tag_is_an_object_and_a_ref(captain: Client, work: Path) -> None:
    head = git(work, "rev-parse", "HEAD").stdout.strip()
    made = captain.post(f"{REPO}/git/tags", tag="v1", message="One", object=head, type="commit")
    captain.post(f"{REPO}/git/refs", ref="refs/tags/v1", sha=made["sha"])
    assert captain.get(f"{REPO}/git/ref/tags/v1")["object"]["type"] == "tag"
    found = captain.get(f"{REPO}/git/tags/{made['sha']}")
    assert (found["object"]["sha"], found["message"]) == (head, "One")
    git(work, "fetch", "--quiet", "--tags", "origin")
    assert git(work, "rev-parse", "v1^{commit}").stdout.strip() == head
    assert captain.get(f"{REPO}/tags")[0]["commit"]["sha"] == head
    assert captain.get(f"{REPO}/commits/v1")["sha"] == head


def test_a_commit_made_of_objects_can_be_fetched(captain: Client, work: Path) -> None:
    head = git(work, "rev-parse", "HEAD").stdout.strip()
    blob = captain.post(f"{REPO}/git/blobs", content="two\n")
    entries = [{"path": "dir/two.txt", "mode": "100644", "type": "blob", "sha": blob["sha"]}]
    tree = captain.post(f"{REPO}/git/trees", base_tree=head, tree=entries)
    made = captain.post(f"{REPO}/git/commits", message="by hand", tree=tree["sha"], parents=[head])
    captain.patch(f"{REPO}/git/refs/heads/master", sha=made["sha"])
    git(work, "pull", "--quiet", "--ff-only", "origin", "master")
    assert (work / "dir" / "two.txt").read_text("utf-8") == "two\n"
    paths = [one["path"] for one in captain.get(f"{REPO}/git/trees/master?recursive=1")["tree"]]
    assert paths == ["app.txt", "dir", "dir/two.txt"]
    assert captain.get(f"{REPO}/git/commits/{made['sha']}")["parents"][0]["sha"] == head
    assert base64.b64decode(captain.get(f"{REPO}/git/blobs/{blob['sha']}")["content"]) == b"two\n"
    evil = [{"path": "../x", "mode": "100644", "type": "blob", "sha": blob["sha"]}]
    assert captain("POST", f"{REPO}/git/trees", {"tree": evil}).status_code == 422


def test_files_are_read_made_and_changed(captain: Client, work: Path) -> None:
    content = base64.b64encode(b"hello\n").decode()
    assert captain("PUT", f"{REPO}/contents/d/a b.txt", {"message": "add", "content": content}).status_code == 201
    found = captain.get(f"{REPO}/contents/d/a%20b.txt")
    assert base64.b64decode(found["content"]) == b"hello\n"
    body = {"message": "change", "content": base64.b64encode(b"bye\n").decode()}
    assert captain("PUT", f"{REPO}/contents/d/a b.txt", body).status_code == 422
    assert captain("PUT", f"{REPO}/contents/d/a b.txt", body | {"sha": "1" * 40}).status_code == 409
    assert captain("PUT", f"{REPO}/contents/d/a b.txt", body | {"sha": found["sha"]}).status_code == 200
    assert [one["name"] for one in captain.get(f"{REPO}/contents/d")] == ["a b.txt"]
    assert [one["type"] for one in captain.get(f"{REPO}/contents/")] == ["file", "dir"]
    assert captain("GET", f"{REPO}/contents/nothing").status_code == 404
    assert captain("GET", f"{REPO}/contents/app.txt?ref=nowhere").status_code == 404
    git(work, "pull", "--quiet", "origin", "master")
    assert (work / "d" / "a b.txt").read_bytes() == b"bye\n"


def test_workflows_are_written_only_with_the_right_to(forge: Sandbox, captain: Client, work: Path) -> None:
    plain = Client(forge, forge.token("captain", scopes=("repo",)))
    body = {"message": "ci", "content": "YQ=="}
    assert plain("PUT", f"{REPO}/contents/.github/workflows/ci.yml", body).status_code == 404
    assert captain("PUT", f"{REPO}/contents/.github/workflows/ci.yml", body).status_code == 201
    plain.close()


def test_history_is_listed_and_compared(captain: Client, work: Path) -> None:
    first = git(work, "rev-parse", "HEAD").stdout.strip()
    (work / "b.txt").write_text("b\n", encoding="utf-8")
    second = commit(work, "second")
    git(work, "push", "--quiet", "origin", "master")
    assert [one["sha"] for one in captain.get(f"{REPO}/commits")] == [second, first]
    assert [one["sha"] for one in captain.get(f"{REPO}/commits?path=app.txt")] == [first]
    ahead = captain.get(f"{REPO}/compare/{first}...master")
    assert (ahead["status"], ahead["ahead_by"], ahead["total_commits"]) == ("ahead", 1, 1)
    assert [(one["filename"], one["status"], one["additions"]) for one in ahead["files"]] == [("b.txt", "added", 1)]
    assert captain.get(f"{REPO}/compare/master...{first}")["status"] == "behind"
    assert captain.get(f"{REPO}/compare/master...master")["status"] == "identical"
    assert captain("GET", f"{REPO}/compare/master...nowhere").status_code == 404
    assert captain.get(f"{REPO}/commits/master")["stats"]["additions"] == 1
    assert captain("GET", f"{REPO}/commits/nowhere").status_code == 422


@pytest.mark.parametrize("bad", ["%00", "%ff", "..%2f..", "--all", "a%0ab", "@%7B-1%7D", "a..b", "v1%5E%7Bcommit%7D"])
def test_hostile_names_find_nothing_and_break_nothing(captain: Client, work: Path, bad: str) -> None:
    for place in ("branches", "git/ref", "git/matching-refs", "contents", "commits", "releases/tags", "git/trees"):
        answer = captain("GET", f"{REPO}/{place}/{bad}")
        assert answer.status_code in (404, 422) or answer.json() == []
    for place in ("git/refs", "contents", "releases"):
        assert captain("PUT", f"{REPO}/{place}/{bad}", {"message": "m", "content": "YQ=="}).status_code in (
            404,
            422,
            201,
        )


def test_half_of_a_surrogate_pair_becomes_a_question_mark(captain: Client, work: Path) -> None:
    headers = {"Content-Type": "application/json"}

    def titled(title: bytes) -> str:
        answer = captain("POST", f"{REPO}/issues", data=b'{"title": "%s"}' % title, headers=headers)
        return str(captain.good(answer)["title"])

    assert titled(b"a\\ud800b") == "a?b"
    assert titled(b"\\ud83d\\ude80") == "\U0001f680"
    body = b'{"title": "x", "head": "master", "base": "\\ud800"}'
    assert captain("POST", f"{REPO}/pulls", data=body, headers=headers).status_code == 422


def test_lists_go_out_page_by_page(captain: Client, work: Path) -> None:
    git(work, "push", "--quiet", "origin", *(f"HEAD:refs/heads/b{number}" for number in range(4)))
    seen, url = [], f"{captain.forge.api_url}{REPO}/branches?per_page=2"
    while url:
        answer = captain("GET", url)
        seen += [one["name"] for one in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
    assert seen == ["b0", "b1", "b2", "b3", "master"]
    assert captain("GET", f"{REPO}/branches?per_page=2&page=3").links["prev"]["url"].endswith("page=2")


def test_an_empty_repository_says_so(forge: Sandbox, captain: Client) -> None:
    assert captain("GET", f"{REPO}/commits").status_code == 409
    assert captain("PUT", f"{REPO}/contents/a.txt", {"message": "first", "content": "YQ=="}).status_code == 201
    assert len(captain.get(f"{REPO}/commits")) == 1
