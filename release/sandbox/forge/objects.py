"""git's own objects by the API: annotated tags, commits, trees, blobs."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Any

from release.sandbox.forge import shapes
from release.sandbox.forge.answers import Answer, missing, refused
from release.sandbox.forge.calls import Call, route
from release.sandbox.forge.git import SHA, Commit, GitError, tagged, well_formed
from release.sandbox.forge.shapes import node
from release.sandbox.serving.store import Json

GIT = "/repos/{owner}/{repo}/git"
MODES = {"100644": "blob", "100755": "blob", "040000": "tree", "160000": "commit", "120000": "blob"}


@route("GET", GIT + "/tags/{tag_sha}", "contents:read")
def tag(call: Call) -> Answer:
    return Answer(_tag(call, _sha(call, "tag_sha", "tag")))


@route("POST", GIT + "/tags", "contents:write")
def make_tag(call: Call) -> Answer:
    """The object only: a ref makes it a tag of the repository."""
    name, message = call.take("tag", str), call.take("message", str)
    target, kind = call.take("object", str), call.take("type", str)
    if call.git.kind(target) != kind:
        raise refused("Object does not exist")
    if not well_formed(f"refs/tags/{name}"):
        raise refused(f"{name} is not a valid tag name.")
    tagger = who(call, call.take("tagger", dict, {}))
    text = f"object {target}\ntype {kind}\ntag {name}\ntagger {tagger}\n\n{message}\n"
    sha = call.git.run("hash-object", "-t", "tag", "-w", "--stdin", stdin=text.encode()).strip()
    return _made(_tag(call, sha))


@route("GET", GIT + "/commits/{commit_sha}", "contents:read")
def commit(call: Call) -> Answer:
    return Answer(shown_commit(call, call.git.commit(_sha(call, "commit_sha", "commit"))))


@route("POST", GIT + "/commits", "contents:write")
def make_commit(call: Call) -> Answer:
    tree, parents = call.take("tree", str), call.take("parents", list, [])
    if call.git.kind(tree) != "tree":
        raise refused("Tree SHA does not exist")
    if any(call.git.kind(str(parent)) != "commit" for parent in parents):
        raise refused("Parent SHA does not exist or is not a commit object")
    author = call.take("author", dict, {})
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author {who(call, author)}", f"committer {who(call, call.take('committer', dict, author))}"]
    text = "\n".join([*lines, "", call.take("message", str)])
    sha = call.git.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode()).strip()
    return _made(shown_commit(call, call.git.commit(sha)))


@route("GET", GIT + "/trees/{tree_sha:.+}", "contents:read")
def tree(call: Call) -> Answer:
    name = call.params["tree_sha"]
    sha = name if call.git.kind(name) == "tree" else call.git.commit_of(name)
    if not sha:
        raise missing()
    return Answer(_tree(call, call.git.run("rev-parse", f"{sha}^{{tree}}").strip(), "recursive" in call.query))


@route("POST", GIT + "/trees", "contents:write")
def make_tree(call: Call) -> Answer:
    base = call.take("base_tree", str, "")
    if base and call.git.kind(base) not in ("tree", "commit"):
        raise refused("base_tree is not a valid tree oid")
    lines = [_line(call, entry) for entry in call.take("tree", list)]
    try:
        sha = call.git.tree_with(base, "".join(lines))
    except GitError as error:
        raise refused(f"GitRPC::BadObjectState: {error}") from error
    return _made(_tree(call, sha, recursive=False))


@route("GET", GIT + "/blobs/{file_sha}", "contents:read")
def blob(call: Call) -> Answer:
    sha = _sha(call, "file_sha", "blob")
    content = call.git.blob(sha)
    text = base64.encodebytes(content).decode()
    more = {"content": text, "encoding": "base64", "size": len(content), "node_id": node("Blob", sha)}
    return Answer(_short_blob(call, sha) | more)


@route("POST", GIT + "/blobs", "contents:write")
def make_blob(call: Call) -> Answer:
    content = call.take("content", str)
    try:
        encoded = call.take("encoding", str, "utf-8") == "base64"
        data = base64.b64decode(content, validate=False) if encoded else content.encode()
    except (binascii.Error, ValueError) as error:
        raise refused("content is not valid Base64") from error
    sha = call.git.run("hash-object", "-w", "--stdin", stdin=data).strip()
    return _made(_short_blob(call, sha))


def _line(call: Call, entry: Any) -> str:
    """One entry as `git update-index --index-info` reads it; a sha of null deletes."""
    if not isinstance(entry, dict):
        raise refused("Invalid request.\n\nFor 'items', the value is not an object.")
    path, mode = str(entry.get("path", "")), str(entry.get("mode", ""))
    if not path or path.startswith("/") or {"", ".", "..", ".git"} & {*path.split("/")} or "\0" in path:
        raise refused("tree.path contains a malformed path component")
    if "content" in entry:
        sha = call.git.run("hash-object", "-w", "--stdin", stdin=str(entry["content"]).encode()).strip()
    elif entry.get("sha") is None:
        return f"0 {'0' * 40}\t{path}\0"
    else:
        sha = str(entry["sha"])
    if mode not in MODES or not SHA.fullmatch(sha) or (mode != "160000" and not call.git.kind(sha)):
        raise refused("tree.sha is not a valid object")
    return f"{mode} {sha}\t{path}\0"


def _tag(call: Call, sha: str) -> Json:
    found = tagged(call.git.run("cat-file", "tag", sha))
    me = f"{call.urls.repository(call.name)}/git"
    return {
        "node_id": node("Tag", sha),
        "tag": found.name,
        "sha": sha,
        "url": f"{me}/tags/{sha}",
        "message": found.message,
        "tagger": shapes.person(found.tagger),
        "object": {"sha": found.target, "type": found.kind, "url": f"{me}/{found.kind}s/{found.target}"},
        "verification": shapes.verification(),
    }


def shown_commit(call: Call, found: Commit) -> Json:
    me, page = call.urls.repository(call.name), call.urls.html(call.name, "commit")
    return {
        "sha": found.sha,
        "node_id": node("Commit", found.sha),
        "url": f"{me}/git/commits/{found.sha}",
        "html_url": f"{page}/{found.sha}",
        "author": shapes.person(found.author),
        "committer": shapes.person(found.committer),
        "message": found.message,
        "tree": {"sha": found.tree, "url": f"{me}/git/trees/{found.tree}"},
        "parents": [
            {"sha": one, "url": f"{me}/git/commits/{one}", "html_url": f"{page}/{one}"} for one in found.parents
        ],
        "verification": shapes.verification(),
    }


def _tree(call: Call, sha: str, recursive: bool) -> Json:
    me = f"{call.urls.repository(call.name)}/git"
    options = ["-r", "-t"] if recursive else []
    entries = []
    for line in call.git.run("ls-tree", "-z", "--long", *options, sha).split("\0")[:-1]:
        facts, _, path = line.partition("\t")
        mode, kind, one, size = facts.split()
        entry = {"path": path, "mode": mode, "type": kind, "sha": one, "url": f"{me}/{kind}s/{one}"}
        entries.append(entry | ({"size": int(size)} if kind == "blob" else {}))
    return {"sha": sha, "url": f"{me}/trees/{sha}", "tree": entries, "truncated": False}


def _short_blob(call: Call, sha: str) -> Json:
    return {"sha": sha, "url": f"{call.urls.repository(call.name)}/git/blobs/{sha}"}


def _made(shape: Json) -> Answer:
    return Answer(shape, 201, {"Location": shape["url"]})


def _sha(call: Call, name: str, kind: str) -> str:
    sha = call.params[name]
    if call.git.kind(sha) != kind:
        raise missing()
    return sha


def who(call: Call, given: Json) -> str:
    """A person as git writes him, without what would break the line."""
    name = str(given.get("name") or call.actor.login)
    email = str(given.get("email") or f"{call.actor.login}@users.noreply.localhost")
    when = int(call.world.clock())
    if given.get("date"):
        try:
            when = int(datetime.fromisoformat(str(given["date"])).timestamp())
        except ValueError as error:
            raise refused("date is not an ISO 8601 timestamp") from error
    name, email = (re.sub(r"[<>\n\0]", "", text).strip() for text in (name, email))
    return f"{name} <{email}> {when} +0000"
