"""Branches, tags and other refs by the API: made once, moved, deleted, under the rules that hold for pushes too."""

from __future__ import annotations

from release.sandbox.forge import pushes
from release.sandbox.forge.answers import Answer, Page, Problem, missing, refused
from release.sandbox.forge.calls import Call, route
from release.sandbox.forge.git import GitError, Ref, well_formed
from release.sandbox.forge.protection import NULL, refusal
from release.sandbox.forge.shapes import node
from release.sandbox.serving.store import Json

GONE = "Reference does not exist"


@route("GET", "/repos/{owner}/{repo}/git/ref/{ref:.+}", "contents:read")
def one(call: Call) -> Answer:
    return Answer(_shown(call, _found(call) or _none()))


@route("GET", "/repos/{owner}/{repo}/git/matching-refs/{ref:.*}", "contents:read")
def matching(call: Call) -> Page:
    """Every ref that starts like this: `heads/release` finds `heads/release-1.30`, too."""
    prefix = f"refs/{call.params['ref']}"
    folder = prefix.rpartition("/")[0] + "/"
    if not well_formed(folder.rstrip("/")):
        return Page([])
    found = [ref for ref in call.git.refs(folder) if ref.name.startswith(prefix)]
    return Page(found, shape=lambda ref: _shown(call, ref))


@route("POST", "/repos/{owner}/{repo}/git/refs", "contents:write")
def create(call: Call) -> Answer:
    """Create-only: what exists stays as it is."""
    name, sha = call.take("ref", str), call.take("sha", str)
    if name.count("/") < 2 or not name.startswith("refs/") or not well_formed(name):
        raise refused(f"{name} is not a valid ref name.")
    kind = call.git.kind(sha)
    if not kind or (kind != "commit" and name.startswith("refs/heads/")):
        raise refused("Object does not exist")
    if call.git.ref(name):
        raise refused("Reference already exists")
    _write(call, name, NULL, sha)
    made = _shown(call, call.git.ref(name) or _none())
    return Answer(made, 201, {"Location": made["url"]})


@route("PATCH", "/repos/{owner}/{repo}/git/refs/{ref:.+}", "contents:write")
def move(call: Call) -> Answer:
    """Only forwards unless forced; there is no way to say which value was expected."""
    sha, force = call.take("sha", str), call.take("force", bool, False)
    found = _found(call)
    if found is None:
        raise refused(GONE)
    if not call.git.kind(sha):
        raise refused("Object does not exist")
    forwards = call.git.contains(sha, found.sha)
    if not forwards and not force:
        raise refused("Update is not a fast forward")
    _write(call, found.name, found.sha, sha, forced=not forwards)
    return Answer(_shown(call, call.git.ref(found.name) or _none()))


@route("DELETE", "/repos/{owner}/{repo}/git/refs/{ref:.+}", "contents:write")
def delete(call: Call) -> Answer:
    found = _found(call)
    if found is None:
        raise refused(GONE)
    _write(call, found.name, found.sha, NULL)
    return Answer(status=204)


def _write(call: Call, name: str, old: str, new: str, forced: bool = False) -> None:
    """A change of a ref, if the rules allow it; `old` has to hold still meanwhile."""
    policy = pushes.policy(call.world, call.urls, call.repository, call.actor)
    if why := refusal(policy, name, old, new, forced):
        raise refused(f"Repository rule violations found\n\n{why.partition('- ')[2].strip() or why}\n\n")
    if not policy["workflows"] and new != NULL and call.git.workflows_of(new):
        raise Problem(403, "Resource not accessible by integration") if call.actor.kind != "classic" else missing()
    try:
        if new == NULL:
            call.git.run("update-ref", "-d", "--end-of-options", name, old)
        else:
            call.git.run("update-ref", "--end-of-options", name, new, old)
    except GitError as error:
        raise refused("Reference cannot be updated") from error
    pushes.announce(call.world, call.urls, call.repository, call.actor, [(name, old, new)])


def _found(call: Call) -> Ref | None:
    return call.git.ref(f"refs/{call.params['ref']}")


def _none() -> Ref:
    raise missing()


def _shown(call: Call, ref: Ref) -> Json:
    me = f"{call.urls.repository(call.name)}/git"
    return {
        "ref": ref.name,
        "node_id": node("Ref", ref.name),
        "url": f"{me}/{ref.name}",
        "object": {"type": ref.kind, "sha": ref.sha, "url": f"{me}/{ref.kind}s/{ref.sha}"},
    }
