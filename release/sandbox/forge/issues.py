"""Issues with their comments and labels, and a search that understands what people write most."""

from __future__ import annotations

import re

from release.sandbox.forge.answers import Answer, Page, invalid, missing
from release.sandbox.forge.calls import Call, route
from release.sandbox.forge.shapes import node
from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json

ISSUES = "/repos/{owner}/{repo}/issues"
ONE = ISSUES + "/{issue_number}"
WORD = re.compile(r'(?:([a-z-]+):)?(?:"([^"]*)"|(\S+))')
BODY = 65_536  # characters


@route("GET", ISSUES, "issues:read")
def issues(call: Call) -> Page:
    """Newest first; pull requests are issues, too."""
    found = [one for one in _all(call) if call.query.get("state", "open") in ("all", one["state"])]
    wanted = {name.lower() for name in call.query.get("labels", "").split(",") if name}
    found = [one for one in found if wanted <= {name.lower() for name in one["labels"]}]
    if creator := call.query.get("creator"):
        found = [one for one in found if one["user"].lower() == creator.lower()]
    if since := call.query.get("since"):
        found = [one for one in found if one["updated_at"] >= since]
    order = {"updated": "updated_at"}.get(call.query.get("sort", ""), "number")
    found.sort(key=lambda one: (one[order], one["number"]), reverse=call.query.get("direction") != "asc")
    return Page(found, shape=lambda one: shown(call, one))


@route("POST", ISSUES, "issues:write")
def create(call: Call) -> Answer:
    title = str(call.body.get("title") or "")
    if not title:
        raise invalid("Issue", "title", "missing_field")
    now = call.world.now()
    facts = {
        "title": title,
        "body": _body(call),
        "state": "open",
        "state_reason": None,
        "labels": _labels(call),
        "assignees": [
            login for login in map(str, call.take("assignees", list, [])) if call.store.find("user", login.lower())
        ],
        "user": call.actor.login,
        "created_at": now,
        "updated_at": now,
        "closed_at": None,
    }
    with call.store.transaction():
        made = call.store.add("issue", facts | {"number": next_number(call.world, call.repo)}, call.repo)
    shape = shown(call, made)
    return Answer(shape, 201, {"Location": shape["url"]})


@route("GET", ONE, "issues:read")
def one(call: Call) -> Answer:
    return Answer(shown(call, _found(call)))


@route("PATCH", ONE, "issues:write")
def change(call: Call) -> Answer:
    found, now = _found(call), call.world.now()
    changes: Json = {"updated_at": now}
    changes |= {name: call.take(name, str) for name in ("title", "state_reason") if call.given(name)}
    if call.given("body"):
        changes["body"] = _body(call)
    if call.given("labels"):
        changes["labels"] = _labels(call)
    if call.given("assignees"):
        changes["assignees"] = [str(login) for login in call.take("assignees", list)]
    state = call.take("state", str, found["state"])
    if state not in ("open", "closed"):
        raise invalid("Issue", "state", "invalid")
    if state != found["state"]:
        closed = state == "closed"
        reason = changes.get("state_reason", "completed" if closed else "reopened")
        changes |= {"state": state, "closed_at": now if closed else None, "state_reason": reason}
    return Answer(shown(call, call.store.change(found["id"], **changes)))


@route("GET", ONE + "/comments", "issues:read")
def comments(call: Call) -> Page:
    found = call.store.all("comment", call.repo, issue=_found(call)["id"])
    since = call.query.get("since", "")
    return Page([one for one in found if one["updated_at"] >= since], shape=lambda one: _comment(call, one))


@route("POST", ONE + "/comments", "issues:write")
def comment(call: Call) -> Answer:
    issue, now = _found(call), call.world.now()
    if not call.take("body", str).strip():
        raise invalid("IssueComment", "body", "missing_field")
    facts = {"issue": issue["id"], "number": issue["number"], "body": _body(call), "user": call.actor.login}
    with call.store.transaction():
        made = call.store.add("comment", facts | {"created_at": now, "updated_at": now}, call.repo)
        call.store.change(issue["id"], updated_at=now)
    shape = _comment(call, made)
    return Answer(shape, 201, {"Location": shape["url"]})


@route("GET", ONE + "/labels", "issues:read")
def labels_of(call: Call) -> Page:
    return Page(_found(call)["labels"], shape=lambda name: label(call, name))


@route("POST", ONE + "/labels", "issues:write")
def add_labels(call: Call) -> Answer:
    found = _found(call)
    names = [*dict.fromkeys([*found["labels"], *_labels(call)])]
    call.store.change(found["id"], labels=names, updated_at=call.world.now())
    return Answer([label(call, name) for name in names])


@route("GET", "/repos/{owner}/{repo}/labels", "issues:read")
def labels(call: Call) -> Page:
    return Page([one["name"] for one in call.store.all("label", call.repo)], shape=lambda name: label(call, name))


@route("GET", "/search/issues")
def search(call: Call) -> Page:
    """`repo:o/r is:issue is:open label:"x y" author:z in:title words`."""
    if not call.query.get("q", "").strip():
        raise invalid("Search", "q", "missing")
    terms = [(name, quoted or plain) for name, quoted, plain in WORD.findall(call.query["q"])]
    found: list[tuple[Json, Json]] = []
    for repository in call.store.all("repository"):
        names = [value.lower() for name, value in terms if name == "repo"]
        owners = [value.lower() for name, value in terms if name in ("org", "user")]
        fits = not names or repository["full_name"].lower() in names
        if fits and (not owners or repository["owner"].lower() in owners) and call.actor.sees(repository):
            every = call.store.all("issue", repository["id"]) + call.store.all("pull", repository["id"])
            found += [(repository, one) for one in every if _fits(one, terms)]
    found.sort(key=lambda pair: pair[1]["id"], reverse=call.query.get("order") != "asc")
    more = {"incomplete_results": False, "search_type": "lexical"}
    return Page(found, total="items", more=more, shape=lambda pair: _hit(call, *pair))


def opened(world: World, repo: Json, title: str, label: str, login: str) -> Json:
    """An issue of somebody's, with one label."""
    now = world.now()
    facts = {
        "title": title, "body": "", "state": "open", "state_reason": None, "labels": [label], "assignees": [],
        "user": login, "created_at": now, "updated_at": now, "closed_at": None,
    }  # fmt: skip
    with world.store.transaction():
        if not world.store.find("label", label.lower(), repo["id"]):
            world.store.add("label", {"name": label, "color": "ededed"}, repo["id"], label.lower())
        return world.store.add("issue", facts | {"number": next_number(world, repo["id"])}, repo["id"])


def next_number(world: World, repo: int) -> int:
    """Issues and pull requests are numbered together."""
    found = world.store.all("issue", repo) + world.store.all("pull", repo)
    return 1 + max((one["number"] for one in found), default=0)


def shown(call: Call, issue: Json) -> Json:
    me, page = f"{call.urls.repository(call.name)}/issues/{issue['number']}", "issues"
    more: Json = {}
    if "head" in issue:
        page, pull = "pull", f"{call.urls.repository(call.name)}/pulls/{issue['number']}"
        html = call.urls.html(call.name, "pull", issue["number"])
        more["pull_request"] = {"url": pull, "html_url": html, "diff_url": f"{html}.diff", "patch_url": f"{html}.patch"}
        more["pull_request"]["merged_at"] = issue["merged_at"]
        more["draft"] = issue["draft"]
    people = [call.user(login) for login in issue["assignees"]]
    return more | {
        "id": issue["id"],
        "node_id": node("Issue", issue["id"]),
        "url": me,
        "repository_url": call.urls.repository(call.name),
        "labels_url": f"{me}/labels{{/name}}",
        "comments_url": f"{me}/comments",
        "events_url": f"{me}/events",
        "html_url": call.urls.html(call.name, page, issue["number"]),
        "number": issue["number"],
        "state": issue["state"],
        "state_reason": issue.get("state_reason"),
        "title": issue["title"],
        "body": issue["body"],
        "user": call.user(issue["user"]),
        "labels": [label(call, name) for name in issue["labels"]],
        "assignee": people[0] if people else None,
        "assignees": people,
        "milestone": None,
        "locked": False,
        "comments": len(call.store.all("comment", call.repo, issue=issue["id"])),
        "created_at": issue["created_at"],
        "updated_at": issue["updated_at"],
        "closed_at": issue["closed_at"],
        "author_association": "MEMBER",
    }


def label(call: Call, name: str) -> Json:
    found = call.store.find("label", name.lower(), call.repo) or {"id": 0, "color": "ededed", "name": name}
    return {
        "id": found["id"],
        "node_id": node("Label", found["id"]),
        "url": f"{call.urls.repository(call.name)}/labels/{found['name']}",
        "name": found["name"],
        "description": "",
        "color": found["color"],
        "default": False,
    }


def _all(call: Call) -> list[Json]:
    return call.store.all("issue", call.repo) + call.store.all("pull", call.repo)


def _found(call: Call) -> Json:
    number = call.number("issue_number")
    found = call.store.all("issue", call.repo, number=number) + call.store.all("pull", call.repo, number=number)
    if not found:
        raise missing()
    return found[0]


def _labels(call: Call) -> list[str]:
    """The names in a request, as words or objects; a new name becomes a label."""
    given = call.take("labels", list, [])
    names = [str(one.get("name", "")) if isinstance(one, dict) else str(one) for one in given]
    names = [*dict.fromkeys(filter(None, names))]
    with call.store.transaction():
        for name in names:
            if not call.store.find("label", name.lower(), call.repo):
                call.store.add("label", {"name": name, "color": "ededed"}, call.repo, name.lower())
    return names


def _body(call: Call) -> str:
    body = call.take("body", str, "")
    if len(body) > BODY:
        raise invalid("Issue", "body", "custom", f"body is too long (maximum is {BODY} characters)")
    return body


def _fits(issue: Json, terms: list[tuple[str, str]]) -> bool:
    where = [value for name, value in terms if name == "in"]
    fields = [name for name in ("title", "body") if not where or name in where]
    text = "\n".join(str(issue[name] or "") for name in fields).lower()
    return all(_term(issue, name, value.lower(), text) for name, value in terms)


def _term(issue: Json, name: str, value: str, text: str) -> bool:
    pull = "head" in issue
    if name == "label":
        return value in [one.lower() for one in issue["labels"]]
    if name == "author":
        return bool(value == issue["user"].lower())
    if name in ("is", "state", "type"):
        facts = {"issue": not pull, "pr": pull, "merged": bool(issue.get("merged_at"))}
        return bool(facts.get(value, issue["state"] == value))
    return name in ("repo", "org", "user", "in", "sort") or value in text


def _hit(call: Call, repository: Json, issue: Json) -> Json:
    call.repository = repository
    return shown(call, issue) | {"score": 1.0}


def _comment(call: Call, found: Json) -> Json:
    issue = f"{call.urls.repository(call.name)}/issues"
    return {
        "id": found["id"],
        "node_id": node("IssueComment", found["id"]),
        "url": f"{issue}/comments/{found['id']}",
        "html_url": f"{call.urls.html(call.name, 'issues', found['number'])}#issuecomment-{found['id']}",
        "issue_url": f"{issue}/{found['number']}",
        "body": found["body"],
        "user": call.user(found["user"]),
        "created_at": found["created_at"],
        "updated_at": found["updated_at"],
        "author_association": "MEMBER",
    }
