"""Repositories by themselves, their branches and tags, and who the caller is."""

from __future__ import annotations

from release.sandbox.forge import shapes
from release.sandbox.forge.answers import Answer, Page, Problem
from release.sandbox.forge.calls import Call, route
from release.sandbox.forge.git import Ref
from release.sandbox.forge.protection import matches
from release.sandbox.serving.store import Json

ROLES = {"pull": "read", "triage": "write", "push": "write"}


@route("GET", "/repos/{owner}/{repo}", "metadata:read")
def repository(call: Call) -> Answer:
    rights = {name: call.may("contents", level) for name, level in ROLES.items()}
    owner = call.actor.login.lower() == call.repository["owner"].lower()
    shown = shapes.whole_repository(
        call.urls, call.world, call.repository, rights | {"maintain": owner, "admin": owner}
    )
    return Answer(shown)


@route("GET", "/user")
def user(call: Call) -> Answer:
    if not call.actor.known:
        raise Problem(401, "Requires authentication")
    if call.actor.kind not in ("classic", "fine"):
        raise Problem(403, "Resource not accessible by integration")
    since = (call.store.find("user", call.actor.login.lower()) or {}).get("created_at", call.world.now())
    nothing = dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio")) | {
        "user_view_type": "public"
    }
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    shown = shapes.user(call.urls, call.world, call.actor.login)
    return Answer(shown | nothing | counts | {"created_at": since, "updated_at": since})


@route("GET", "/repos/{owner}/{repo}/branches", "contents:read")
def branches(call: Call) -> Page:
    found = call.git.refs("refs/heads/")
    rules = _rules(call)
    return Page(found, shape=lambda ref: _branch(call, ref, rules))


@route("GET", "/repos/{owner}/{repo}/branches/{branch:.+}", "contents:read")
def branch(call: Call) -> Answer:
    name = call.params["branch"]
    ref = call.git.ref(f"refs/heads/{name}")
    if ref is None:
        raise Problem(404, "Branch not found")
    me = f"{call.urls.repository(call.name)}/branches/{name}"
    short = _branch(call, ref, _rules(call))
    return Answer(
        short
        | {
            "commit": shapes.commit(call.urls, call.name, call.git.commit(ref.commit)),
            "_links": {"self": me, "html": call.urls.html(call.name, "tree", name)},
        }
    )


@route("GET", "/repos/{owner}/{repo}/tags", "contents:read")
def tags(call: Call) -> Page:
    return Page([*reversed(call.git.refs("refs/tags/"))], shape=lambda ref: _tag(call, ref))


def _rules(call: Call) -> list[Json]:
    return call.store.all("rule", call.repo, target="branch")


def _branch(call: Call, ref: Ref, rules: list[Json]) -> Json:
    name, me = ref.name.removeprefix("refs/heads/"), call.urls.repository(call.name)
    protected = any(matches(name, rule["pattern"]) for rule in rules)
    checks = {"enforcement_level": "off", "contexts": [], "checks": []}
    return {
        "name": name,
        "commit": {"sha": ref.commit, "url": f"{me}/commits/{ref.commit}"},
        "protected": protected,
        "protection": {"enabled": protected, "required_status_checks": checks},
        "protection_url": f"{me}/branches/{name}/protection",
    }


def _tag(call: Call, ref: Ref) -> Json:
    name, me = ref.name.removeprefix("refs/tags/"), call.urls.repository(call.name)
    return {
        "name": name,
        "zipball_url": f"{me}/zipball/{ref.name}",
        "tarball_url": f"{me}/tarball/{ref.name}",
        "commit": {"sha": ref.commit, "url": f"{me}/commits/{ref.commit}"},
        "node_id": shapes.node("Ref", ref.name),
    }
