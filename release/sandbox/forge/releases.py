"""Releases, with the manners that are told of GitHub: what is a draft, what is a fact, what is the latest."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from release.sandbox.forge import assets, pushes
from release.sandbox.forge.answers import Answer, Page, Problem, invalid, missing
from release.sandbox.forge.calls import Call, route
from release.sandbox.forge.git import GitError, well_formed
from release.sandbox.forge.protection import NULL, refusal
from release.sandbox.forge.published import newest, seen, untagged
from release.sandbox.forge.shapes import node
from release.sandbox.serving.store import Duplicate, Json

BODY = 125_000  # characters
ARCHIVES = ("tarball", "zipball")
LATEST = ("true", "false", "legacy")


@route("GET", "/repos/{owner}/{repo}/releases", "contents:read")
def releases(call: Call) -> Page:
    """Newest first; drafts only for who may push."""
    pushes_here = call.may("contents", "write")
    found = [one for one in call.store.all("release", call.repo) if pushes_here or not one["draft"]]
    found.sort(key=lambda one: (one["created_at"], one["id"]), reverse=True)
    files = assets.by_release(call)
    return Page(found, shape=lambda one: shown(call, one, files.get(one["id"], [])))


@route("POST", "/repos/{owner}/{repo}/releases", "contents:write")
def create(call: Call) -> Answer:
    """A draft may be one of many for its tag; what is out at once is create-only."""
    tag = _named(call.take("tag_name", str))
    facts = {
        "tag_name": tag,
        "target_commitish": call.take("target_commitish", str, call.repository["default_branch"]),
        "name": call.take("name", str, ""),
        "body": _body(call, ""),
        "draft": call.take("draft", bool, False),
        "prerelease": call.take("prerelease", bool, False),
        "make_latest": _latest_wish(call) or "true",
        "immutable": False,
        "author": call.actor.login,
        "created_at": call.world.now(),
        "published_at": None,
        "flagged": 0,
    }
    if call.take("generate_release_notes", bool, False):
        facts["body"] = "\n\n".join(
            filter(None, (facts["body"], _notes(call, tag, facts["target_commitish"], "")["body"]))
        )
    if facts["draft"]:
        made = call.store.add("release", facts, call.repo)
    else:
        made = _published(call, facts, lambda changed: call.store.add("release", changed, call.repo, _key(tag)))
        _tell(call, made, "created", "published", _kind(made))
    return Answer(shown(call, made), 201, {"Location": _url(call, made)})


@route("GET", "/repos/{owner}/{repo}/releases/latest", "contents:read")
def latest(call: Call) -> Answer:
    found = newest(call.store.all("release", call.repo))
    if found is None:
        raise missing()
    return Answer(shown(call, found))


@route("GET", "/repos/{owner}/{repo}/releases/tags/{tag:.+}", "contents:read")
def by_tag(call: Call) -> Answer:
    """A draft is never found by its tag."""
    found = call.store.find("release", _key(call.params["tag"]), call.repo)
    if found is None:
        raise missing()
    return Answer(shown(call, found))


@route("POST", "/repos/{owner}/{repo}/releases/generate-notes", "contents:write")
def notes(call: Call) -> Answer:
    target = call.take("target_commitish", str, call.repository["default_branch"])
    return Answer(_notes(call, call.take("tag_name", str), target, call.take("previous_tag_name", str, "")))


@route("GET", "/repos/{owner}/{repo}/releases/{release_id}", "contents:read")
def by_id(call: Call) -> Answer:
    return Answer(shown(call, seen(call)))


@route("PATCH", "/repos/{owner}/{repo}/releases/{release_id}", "contents:write")
def edit(call: Call) -> Answer:
    """A draft that stays one and is changed without its `tag_name` loses it: publishing with `{"draft": false}` alone,

    as `gh` does, keeps it. What is immutable keeps its tag.
    """
    found = call.document("release", "release_id")
    unbound = found["draft"] and call.take("draft", bool, True)
    tag = _named(call.take("tag_name", str, untagged(found) if unbound else found["tag_name"]))
    wish = _latest_wish(call)
    changes = {
        "tag_name": tag,
        "target_commitish": call.take("target_commitish", str, found["target_commitish"]),
        "name": call.take("name", str, found["name"] or ""),
        "body": _body(call, found["body"]),
        "prerelease": call.take("prerelease", bool, found["prerelease"]),
    }
    if wish:
        changes["make_latest"] = wish
    draft = call.take("draft", bool, found["draft"])
    if wish == "true" and (draft or changes["prerelease"]):
        raise invalid("Release", "", "custom", "Latest release cannot be draft or prerelease.")
    if found["immutable"] and (tag != found["tag_name"] or draft):
        raise invalid("Release", "tag_name", "custom", "An immutable release keeps its tag and stays published.")
    if found["draft"] and draft:
        edited = call.store.change(found["id"], **changes)
    elif found["draft"]:
        edited = _published(call, found | changes | {"draft": False}, lambda changed: _put(call, found["id"], changed))
        _tell(call, edited, "published", _kind(edited))
    else:
        edited = _edited(call, found, changes, draft)
    return Answer(shown(call, edited))


@route("DELETE", "/repos/{owner}/{repo}/releases/{release_id}", "contents:write")
def delete(call: Call) -> Answer:
    """The tag stays; that of an immutable release can never be used again."""
    found = call.document("release", "release_id")
    with call.store.transaction():
        if found["immutable"]:
            call.store.put("burned", found["tag_name"], {"tag": found["tag_name"]}, call.repo)
        gone = call.store.all("asset", call.repo, release=found["id"])
        for asset in gone:
            call.store.remove(asset["id"])
        call.store.remove(found["id"])
    for asset in gone:
        assets.path(call.world, asset).unlink(missing_ok=True)
    if not found["draft"]:
        _tell(call, found, "deleted")
    return Answer(status=204)


@route("GET", "/repos/{owner}/{repo}/immutable-releases", "metadata:read")
def immutability(call: Call) -> Answer:
    if not call.repository["immutable_releases"]:
        raise missing()
    return Answer({"enabled": True, "enforced_by_owner": False})


def shown(call: Call, release: Json, files: list[Json] | None = None) -> Json:
    me, draft, tag = _url(call, release), release["draft"], release["tag_name"]
    if files is None:
        files = call.store.all("asset", call.repo, release=release["id"])
    page = untagged(release) if draft else tag
    archive = {kind: f"{call.urls.repository(call.name)}/{kind}/refs/tags/{quote(tag)}" for kind in ARCHIVES}
    return {
        "url": me,
        "assets_url": f"{me}/assets",
        "upload_url": f"{call.urls.uploads}/repos/{call.name}/releases/{release['id']}/assets{{?name,label}}",
        "html_url": call.urls.html(call.name, "releases/tag", page),
        "id": release["id"],
        "author": call.user(release["author"]),
        "node_id": node("Release", release["id"]),
        "tag_name": tag,
        "target_commitish": release["target_commitish"],
        "name": release["name"],
        "draft": draft,
        "immutable": release["immutable"],
        "prerelease": release["prerelease"],
        "created_at": release["created_at"],
        "updated_at": release.get("updated_at", release["created_at"]),
        "published_at": release["published_at"],
        "assets": [assets.shown(call, asset, page) for asset in files],
        "tarball_url": None if draft else archive["tarball"],
        "zipball_url": None if draft else archive["zipball"],
        "body": release["body"],
    }


def _published(call: Call, release: Json, store: Callable[[Json], Json]) -> Json:
    """Make it public: its tag is made if there is none, lightweight; the tag's commit dates it."""
    tag = release["tag_name"]
    if call.store.find("burned", tag, call.repo):
        raise invalid("Release", "tag_name", "custom", "tag_name was used by an immutable release")
    if call.store.find("release", _key(tag), call.repo):
        raise invalid("Release", "tag_name", "already_exists")
    commit = call.git.commit_of(f"refs/tags/{tag}") or _tagged(call, tag, release["target_commitish"])
    release |= {
        "created_at": call.git.commit(commit).committer.date,
        "published_at": call.world.now(),
        "immutable": call.repository["immutable_releases"],
    }
    try:
        with call.store.transaction():
            made = store(release)
            return call.store.change(made["id"], flagged=_flag(call))
    except Duplicate as error:
        raise invalid("Release", "tag_name", "already_exists") from error


def _tagged(call: Call, tag: str, target: str) -> str:
    """The commit that a new tag was put on."""
    git, ref = call.git, f"refs/tags/{tag}"
    commit = git.commit_of(target)
    if not commit:
        raise invalid("Release", "target_commitish", "invalid")
    policy = pushes.policy(call.world, call.urls, call.repository, call.actor)
    if why := refusal(policy, ref, NULL, commit, forced=False):
        raise invalid("Release", "pre_receive", "custom", f"pre_receive {why.partition('- ')[2].strip() or why}")
    if not policy["workflows"] and _changes_workflows(call, commit):
        if call.actor.kind == "classic":
            raise missing()
        raise Problem(403, "Resource not accessible by integration")
    try:
        git.run("update-ref", "--end-of-options", ref, commit, NULL)
    except GitError as error:
        if there := git.commit_of(ref):
            return there  # somebody else made it meanwhile
        raise invalid("Release", "tag_name", "custom", "tag_name is in the way of another ref") from error
    pushes.announce(call.world, call.urls, call.repository, call.actor, [(ref, NULL, commit)])
    return commit


def _changes_workflows(call: Call, commit: str) -> bool:
    changed = call.git.run("diff-tree", "--root", "-r", "-m", "--name-only", commit, "--", ".github/workflows")
    return any(line.startswith(".github/workflows/") for line in changed.split("\n"))


def _edited(call: Call, found: Json, changes: Json, draft: bool) -> Json:
    """A published release that says something else now, or goes back to being a draft."""
    if changes["tag_name"] != found["tag_name"] and call.store.find("release", _key(changes["tag_name"]), call.repo):
        raise invalid("Release", "tag_name", "already_exists")
    if changes.get("make_latest") in ("true", "legacy"):
        changes["flagged"] = _flag(call)
    if draft:
        changes |= {"draft": True, "published_at": None}
    edited = _put(call, found["id"], changes | {"updated_at": call.world.now()})
    _tell(call, edited, "unpublished" if draft else "edited")
    return edited


def _put(call: Call, number: int, changes: Json) -> Json:
    """Only what is out owns its tag."""
    fields = {name: value for name, value in changes.items() if name not in ("id", "repo")}
    with call.store.transaction():
        changed = call.store.change(number, **fields)
        call.store.rename(number, None if changed["draft"] else _key(changed["tag_name"]))
    return changed


def _flag(call: Call) -> int:
    """A number that grows: which release was made the latest last."""
    return 1 + max((one["flagged"] for one in call.store.all("release", call.repo)), default=0)


def _key(tag: str) -> str:
    return f"tag:{tag}"


def _kind(release: Json) -> str:
    return "prereleased" if release["prerelease"] else "released"


def _tell(call: Call, release: Json, *actions: str) -> None:
    ref = f"refs/tags/{release['tag_name']}"
    commit = call.git.commit_of(ref)
    for action in actions:
        call.emit("release", ref, commit, {"action": action, "release": shown(call, release)})


def _url(call: Call, release: Json) -> str:
    return f"{call.urls.repository(call.name)}/releases/{release['id']}"


def _named(tag: str) -> str:
    if not tag or tag.startswith("refs/") or not well_formed(f"refs/tags/{tag}"):
        raise invalid("Release", "tag_name", "custom", "tag_name is not well-formed")
    return tag


def _body(call: Call, otherwise: str) -> str:
    body = call.take("body", str, otherwise)
    if len(body) > BODY:
        raise invalid("Release", "body", "custom", f"body is too long (maximum is {BODY} characters)")
    return body


def _latest_wish(call: Call) -> str:
    wish = call.body.get("make_latest")
    if wish is not None and wish not in LATEST:
        raise Problem(422, f"Invalid request.\n\n{wish!r} is not one of true, false, legacy for 'make_latest'.")
    return wish or ""


def _notes(call: Call, tag: str, target: str, previous: str) -> Json:
    """What GitHub writes by itself: the pull requests since the previous release."""
    git = call.git
    head = git.commit_of(f"refs/tags/{tag}") or git.commit_of(target)
    if not head:
        raise invalid("Release", "target_commitish", "invalid")
    if not previous:
        out = [one for one in call.store.all("release", call.repo) if not one["draft"] and one["tag_name"] != tag]
        previous = max(out, key=lambda one: (one["created_at"], one["id"]), default={"tag_name": ""})["tag_name"]
    base = git.commit_of(f"refs/tags/{previous}") if previous else ""
    within = {*git.log(head, *([f"^{base}"] if base else []))}
    merged = [pull for pull in call.store.all("pull", call.repo) if pull.get("merge_commit_sha") in within]
    lines = [
        f"* {pull['title']} by @{pull['user']} in {call.urls.html(call.name, 'pull', pull['number'])}"
        for pull in merged
    ]
    changed = ["## What's Changed", *lines, "", ""] if lines else []
    page = call.urls.html(call.name, *(("compare", f"{previous}...{tag}") if base else ("commits", tag)))
    return {"name": tag, "body": "\n".join([*changed, f"**Full Changelog**: {page}"])}
