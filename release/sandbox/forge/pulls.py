"""Pull requests: a branch that asks to be merged into another."""

from __future__ import annotations

from typing import Literal

from release.sandbox.forge import pushes, shapes
from release.sandbox.forge.answers import Answer, Page, Problem, invalid, missing
from release.sandbox.forge.auth import Actor
from release.sandbox.forge.calls import Call, route
from release.sandbox.forge.git import GitError
from release.sandbox.forge.issues import label, next_number
from release.sandbox.forge.shapes import node
from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json

PULLS = "/repos/{owner}/{repo}/pulls"
ONE = PULLS + "/{pull_number}"
ORDERS = {"created": "created_at", "updated": "updated_at"}
Method = Literal["merge", "squash", "rebase"]
METHODS: tuple[Method, ...] = ("merge", "squash", "rebase")


@route("GET", PULLS, "pull_requests:read")
def pulls(call: Call) -> Page:
    found = [_fresh(call, one) for one in call.store.all("pull", call.repo)]
    found = [one for one in found if call.query.get("state", "open") in ("all", one["state"])]
    if head := call.query.get("head"):
        found = [one for one in found if head in (f"{call.repository['owner']}:{one['head']}", one["head"])]
    if base := call.query.get("base"):
        found = [one for one in found if one["base"] == base]
    order = ORDERS.get(call.query.get("sort", ""), "created_at")
    newest_first = call.query.get("direction", "desc" if order == "created_at" else "asc") != "asc"
    found.sort(key=lambda one: (one[order], one["number"]), reverse=newest_first)
    return Page(found, shape=lambda one: _simple(call, one))


@route("POST", PULLS, "pull_requests:write")
def create(call: Call) -> Answer:
    head, base = call.take("head", str).rpartition(":")[2], call.take("base", str)
    title = call.take("title", str, "")
    if not title:
        raise invalid("PullRequest", "title", "missing_field")
    tips = {name: call.git.commit_of(f"refs/heads/{branch}") for name, branch in (("head", head), ("base", base))}
    for name, tip in tips.items():
        if not tip:
            raise invalid("PullRequest", name, "invalid")
    if call.git.contains(tips["base"], tips["head"]):
        raise _no(f"No commits between {base} and {head}")
    now = call.world.now()
    facts = {
        "title": title,
        "body": call.take("body", str, ""),
        "head": head,
        "base": base,
        "head_sha": tips["head"],
        "base_sha": tips["base"],
        "state": "open",
        "labels": [],
        "assignees": [],
        "draft": call.take("draft", bool, False),
        "user": call.actor.login,
        "created_at": now,
        "updated_at": now,
        "closed_at": None,
        "merged_at": None,
        "merged_by": None,
        "merge_commit_sha": None,
    }
    with call.store.transaction():
        if call.store.all("pull", call.repo, state="open", head=head, base=base):
            raise _no(f"A pull request already exists for {call.repository['owner']}:{head}.")
        made = call.store.add("pull", facts | {"number": next_number(call.world, call.repo)}, call.repo)
    shape = _whole(call, made)
    call.emit(
        "pull_request", f"refs/pull/{made['number']}/merge", tips["head"], {"action": "opened", "pull_request": shape}
    )
    return Answer(shape, 201, {"Location": shape["url"]})


@route("GET", ONE, "pull_requests:read")
def one(call: Call) -> Answer:
    return Answer(_whole(call, _found(call)))


@route("PATCH", ONE, "pull_requests:write")
def change(call: Call) -> Answer:
    found, now = _found(call), call.world.now()
    changes: Json = {name: call.take(name, str) for name in ("title", "body", "base") if call.given(name)}
    if "base" in changes and not call.git.ref(f"refs/heads/{changes['base']}"):
        raise invalid("PullRequest", "base", "invalid")
    state = call.take("state", str, found["state"])
    if state not in ("open", "closed") or (state == "open" and found["merged_at"]):
        raise invalid("PullRequest", "state", "invalid")
    if state != found["state"]:
        changes |= {"state": state, "closed_at": now if state == "closed" else None}
    return Answer(_whole(call, call.store.change(found["id"], **changes, updated_at=now)))


@route("GET", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", "pull_requests:read")
def of_commit(call: Call) -> Page:
    """The pull requests that brought a commit, or want to."""
    sha = call.git.commit_of(call.params["commit_sha"])
    if not sha:
        raise Problem(422, f"No commit found for SHA: {call.params['commit_sha']}")
    found = [_fresh(call, one) for one in call.store.all("pull", call.repo)]
    return Page([one for one in found if _brings(call, one, sha)], shape=lambda one: _simple(call, one))


@route("PUT", ONE + "/merge", "contents:write")
def merge_by_api(call: Call) -> Answer:
    found = _found(call)
    method = call.take("merge_method", str, "merge")
    known = next((one for one in METHODS if one == method), None)
    if known is None:
        raise Problem(422, f"Invalid request.\n\n{method!r} is not a possible value.")
    if found["state"] != "open" or found["draft"]:
        raise Problem(405, "Pull Request is not mergeable")
    if call.take("sha", str, found["head_sha"]) != found["head_sha"]:
        raise Problem(409, "Head branch was modified. Review and try the merge again.")
    words = tuple(call.take(name, str, "") for name in ("commit_title", "commit_message"))
    try:
        merged = _merge(call.world, call.repository, found, call.actor, known, *words)
    except GitError as error:
        raise Problem(405, "Pull Request is not mergeable") from error
    return Answer({"sha": merged, "merged": True, "message": "Pull Request successfully merged"})


def merge(world: World, full_name: str, number: int, login: str, method: Method = "merge") -> str:
    """What a person does on the page: merge an open pull request; the merge commit.

    A squash is one commit with the title and the number as its subject and the description as its body, which is how
    GitHub's "title and description" names it.
    """
    repository = world.find(full_name)
    found = world.store.all("pull", repository["id"], number=number)
    if not found or found[0]["state"] != "open":
        raise KeyError(f"no open pull request {number} in {full_name}")
    return _merge(world, repository, found[0], Actor("classic", login), method)


def _merge(
    world: World, repository: Json, pull: Json, actor: Actor, method: Method, title: str = "", text: str = ""
) -> str:
    """The commit of a merge or a squash, on the base branch, with what its merger wants to say, else as GitHub says it.

    Of a rebase it is the last of the commits, which say what they said.
    """
    git, ref = world.git(repository["full_name"]), f"refs/heads/{pull['base']}"
    base, head = git.commit_of(ref), git.commit_of(f"refs/heads/{pull['head']}")
    who, when = actor.login if method == "merge" else pull["user"], int(world.clock())
    if method == "rebase":
        return _land(world, repository, pull, actor, git.rebase(base, head, actor.login, when))
    if method == "squash":
        title, text = title or f"{pull['title']} (#{pull['number']})", text or pull["body"] or ""
    else:
        title = title or f"Merge pull request #{pull['number']} from {repository['owner']}/{pull['head']}"
        text = text or pull["title"]
    make = git.merge if method == "merge" else git.squash
    return _land(world, repository, pull, actor, make(base, head, f"{title}\n\n{text}".rstrip(), who, when))


def _land(world: World, repository: Json, pull: Json, actor: Actor, merged: str) -> str:
    """Move the base branch to a commit, which merges a pull request."""
    git, ref = world.git(repository["full_name"]), f"refs/heads/{pull['base']}"
    base, head = git.commit_of(ref), git.commit_of(f"refs/heads/{pull['head']}")
    git.run("update-ref", "--end-of-options", ref, merged, base)
    _close(world, pull, head, merged, actor.login)
    pushes.announce(world, world.urls, repository, actor, [(ref, base, merged)])
    return merged


def _close(world: World, pull: Json, head: str, merged: str, login: str) -> Json:
    now = world.now()
    facts = {"state": "closed", "closed_at": now, "merged_at": now, "updated_at": now, "merged_by": login}
    return world.store.change(pull["id"], **facts, merge_commit_sha=merged, head_sha=head)


def _fresh(call: Call, pull: Json) -> Json:
    """As it is now: the head may have moved, and what the base contains is merged, however it got there.

    Without its branch it is closed.
    """
    if pull["state"] != "open":
        return pull
    head = call.git.commit_of(f"refs/heads/{pull['head']}")
    if not head:
        now = call.world.now()
        return call.store.change(pull["id"], state="closed", closed_at=now, updated_at=now)
    base = call.git.commit_of(f"refs/heads/{pull['base']}")
    if base and call.git.contains(base, head):
        return _close(call.world, pull, head, base, call.repository["owner"])
    return call.store.change(pull["id"], head_sha=head) if head != pull["head_sha"] else pull


def _brings(call: Call, pull: Json, sha: str) -> bool:
    return sha == pull["merge_commit_sha"] or sha in call.git.log(pull["head_sha"], f"^{pull['base_sha']}")


def _found(call: Call) -> Json:
    found = call.store.all("pull", call.repo, number=call.number("pull_number"))
    if not found:
        raise missing()
    return _fresh(call, found[0])


def _no(message: str) -> Problem:
    return Problem(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": message}])


def _whole(call: Call, pull: Json) -> Json:
    head, base = pull["head_sha"], call.git.commit_of(f"refs/heads/{pull['base']}") or pull["base_sha"]
    count = len(call.git.log(head, f"^{pull['base_sha']}"))
    return _simple(call, pull) | {
        "merged": bool(pull["merged_at"]),
        "mergeable": None if pull["state"] == "closed" else call.git.asks("merge-tree", "--write-tree", base, head),
        "mergeable_state": "unknown" if pull["state"] == "closed" else "clean",
        "merged_by": call.user(pull["merged_by"]) if pull["merged_by"] else None,
        "comments": len(call.store.all("comment", call.repo, issue=pull["id"])),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": count,
        "additions": 0,
        "deletions": 0,
        "changed_files": len(call.git.run("diff-tree", "-r", "--name-only", pull["base_sha"], head).splitlines()),
    }


def _simple(call: Call, pull: Json) -> Json:
    repository, page = call.urls.repository(call.name), call.urls.html(call.name, "pull", pull["number"])
    me, issue = f"{repository}/pulls/{pull['number']}", f"{repository}/issues/{pull['number']}"
    links = {
        "self": me,
        "html": page,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{me}/comments",
        "review_comment": f"{repository}/pulls/comments{{/number}}",
        "commits": f"{me}/commits",
        "statuses": f"{repository}/statuses/{pull['head_sha']}",
    }
    return {
        "url": me,
        "id": pull["id"],
        "node_id": node("PullRequest", pull["id"]),
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        **{
            f"{name}_url": links[name]
            for name in ("commits", "review_comments", "review_comment", "comments", "statuses")
        },
        "number": pull["number"],
        "state": pull["state"],
        "locked": False,
        "title": pull["title"],
        "user": call.user(pull["user"]),
        "body": pull["body"],
        "labels": [label(call, name) for name in pull["labels"]],
        "milestone": None,
        "created_at": pull["created_at"],
        "updated_at": pull["updated_at"],
        "closed_at": pull["closed_at"],
        "merged_at": pull["merged_at"],
        "merge_commit_sha": pull["merge_commit_sha"],
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "draft": pull["draft"],
        "head": _end(call, pull["head"], pull["head_sha"]),
        "base": _end(call, pull["base"], pull["base_sha"]),
        "_links": {name: {"href": link} for name, link in links.items()},
        "author_association": "MEMBER",
        "auto_merge": None,
    }


def _end(call: Call, branch: str, sha: str) -> Json:
    owner = call.repository["owner"]
    rights = {"admin": False, "maintain": False, "push": False, "triage": False, "pull": True}
    return {
        "label": f"{owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": call.user(owner),
        "repo": shapes.whole_repository(call.urls, call.world, call.repository, rights),
    }
