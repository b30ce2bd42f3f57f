"""Files at a commit: read, and written one commit at a time."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote

from aiohttp import web

from release.sandbox.forge import objects, pushes
from release.sandbox.forge.answers import Answer, Problem, missing, refused
from release.sandbox.forge.calls import Call, Result, route
from release.sandbox.forge.git import GitError
from release.sandbox.forge.protection import NULL, refusal
from release.sandbox.serving.store import Json

BAD = {"", ".", ".."}
KINDS = {"blob": "file", "tree": "dir", "commit": "submodule"}


@route("GET", "/repos/{owner}/{repo}/contents/{path:.*}", "contents:read")
def read(call: Call) -> Result:
    commit = call.git.commit_of(call.query.get("ref") or call.repository["default_branch"])
    if not commit:
        raise Problem(404, f"No commit found for the ref {call.query.get('ref', '')}")
    path = call.params["path"].strip("/")
    entry = _entry(call, commit, path) if path else {"kind": "tree"}
    if entry is None:
        raise missing()
    if entry["kind"] == "tree":
        return Answer([_shown(call, commit, one) for one in _listed(call, commit, f"{path}/" if path else "")])
    content = call.git.blob(entry["sha"])
    if "raw" in call.request.headers.get("Accept", ""):
        return web.Response(body=content, content_type="application/vnd.github.raw", charset="utf-8")
    text = base64.encodebytes(content).decode()
    return Answer(_shown(call, commit, entry) | {"content": text, "encoding": "base64"})


@route("PUT", "/repos/{owner}/{repo}/contents/{path:.+}", "contents:write")
def write(call: Call) -> Answer:
    """A commit on a branch that makes or changes one file; the file's present blob has to be named to change it."""
    path, branch = call.params["path"], call.take("branch", str, call.repository["default_branch"])
    content, given = _content(call), call.take("sha", str, "")
    if "\0" in path:
        raise refused("path contains a malformed path component")
    head = call.git.commit_of(f"refs/heads/{branch}")
    if not head and call.git.refs("refs/heads/"):
        raise Problem(404, f"Branch {branch} not found")
    before = _entry(call, head, path) if head else None
    if before and not given:
        raise refused('Invalid request.\n\n"sha" wasn\'t supplied.')
    if given and (before is None or before["sha"] != given):
        raise Problem(409, f"{path} does not match {given}")
    _allowed(call, branch, path, head)
    blob = call.git.run("hash-object", "-w", "--stdin", stdin=content).strip()
    try:
        tree = call.git.tree_with(head, f"100644 {blob}\t{path}\0")
    except GitError as error:
        raise refused("path contains a malformed path component") from error
    commit = _commit(call, tree, head)
    ref = f"refs/heads/{branch}"
    try:
        call.git.run("update-ref", "--end-of-options", ref, commit, head or NULL)
    except GitError as error:
        raise Problem(409, f"{branch} was changed meanwhile") from error
    pushes.announce(call.world, call.urls, call.repository, call.actor, [(ref, head or NULL, commit)])
    entry = {"path": path, "kind": "blob", "sha": blob, "size": len(content)}
    shown = {"content": _shown(call, commit, entry), "commit": objects.shown_commit(call, call.git.commit(commit))}
    return Answer(shown, 200 if before else 201)


def _content(call: Call) -> bytes:
    try:
        return base64.b64decode(call.take("content", str).encode(), validate=False)
    except (binascii.Error, ValueError) as error:
        raise refused("content is not valid Base64") from error


def _allowed(call: Call, branch: str, path: str, head: str) -> None:
    policy = pushes.policy(call.world, call.urls, call.repository, call.actor)
    if why := refusal(policy, f"refs/heads/{branch}", head or NULL, "1" * 40, forced=False):
        raise Problem(409, f"Repository rule violations found\n\n{why.partition('- ')[2].strip()}\n\n")
    if path.startswith(".github/workflows/") and not policy["workflows"]:
        raise missing() if call.actor.kind == "classic" else Problem(403, "Resource not accessible by integration")


def _commit(call: Call, tree: str, head: str) -> str:
    author = call.take("author", dict, {})
    lines = [f"tree {tree}", *([f"parent {head}"] if head else []), f"author {objects.who(call, author)}"]
    lines += [f"committer {objects.who(call, call.take('committer', dict, author))}", "", call.take("message", str)]
    return call.git.run("hash-object", "-t", "commit", "-w", "--stdin", stdin="\n".join(lines).encode()).strip()


def _entry(call: Call, commit: str, path: str) -> Json | None:
    return next((entry for entry in _listed(call, commit, path) if entry["path"] == path), None)


def _listed(call: Call, commit: str, path: str) -> list[Json]:
    """What `git ls-tree` says about one path, or with a slash at its end about what is in it; a bad path holds nothing."""
    if path and (BAD & {*path.removesuffix("/").split("/")} or "\0" in path):
        return []
    command = ("--literal-pathspecs", "ls-tree", "-z", "--long", commit, "--", *filter(None, [path]))
    found = []
    for line in call.git.run(*command).split("\0")[:-1]:
        facts, _, name = line.partition("\t")
        _, kind, sha, size = facts.split()
        found.append({"path": name, "kind": kind, "sha": sha, "size": int(size) if size.isdigit() else 0})
    return found


def _shown(call: Call, commit: str, entry: Json) -> Json:
    path, kind, me = entry["path"], entry["kind"], call.urls.repository(call.name)
    url = f"{me}/contents/{quote(path, errors='surrogateescape')}?ref={commit}"
    page = call.urls.html(call.name, kind, commit, path)
    git = f"{me}/git/{kind}s/{entry['sha']}"
    return {
        "type": KINDS[kind],
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry["sha"],
        "size": entry["size"],
        "url": url,
        "html_url": page,
        "git_url": git,
        "download_url": call.urls.html(call.name, "raw", commit, path) if kind == "blob" else None,
        "_links": {"self": url, "git": git, "html": page},
    }
