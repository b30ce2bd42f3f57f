"""A repository's history: commits, and how two of them compare."""

from __future__ import annotations

from collections.abc import Sequence

from release.sandbox.forge import shapes
from release.sandbox.forge.answers import Answer, Page, Problem, missing
from release.sandbox.forge.calls import Call, paged, route
from release.sandbox.forge.git import GitError
from release.sandbox.serving.store import Json

STATUS = {"A": "added", "D": "removed", "M": "modified", "T": "changed"}
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
MOST_FILES = 300


@route("GET", "/repos/{owner}/{repo}/commits", "contents:read")
def commits(call: Call) -> Page:
    start = call.query.get("sha") or call.repository["default_branch"]
    head = call.git.commit_of(start)
    if not head and not call.git.refs("refs/heads/"):
        raise Problem(409, "Git Repository is empty.")
    if not head:
        raise missing()
    bounds = [
        f"--{name}={call.query[name]}" for name in ("since", "until", "author", "committer") if call.query.get(name)
    ]
    shas = call.git.log(head, path=call.query.get("path", ""), bounds=bounds)
    return Page(shas, batch=lambda page: _shown(call, page))


@route("GET", "/repos/{owner}/{repo}/compare/{basehead:.+}", "contents:read")
def compare(call: Call) -> Answer:
    """How far the head is ahead of the base; the commits are oldest first, page by page."""
    names = [name.rpartition(":")[2] for name in call.params["basehead"].split("...")]
    base, head = [call.git.commit_of(name) for name in names] if len(names) == 2 else ["", ""]
    if not (base and head):
        raise missing()
    try:
        middle = call.git.run("merge-base", base, head).strip()
    except GitError as error:
        raise Problem(404, f"No common ancestor between {names[0]} and {names[1]}.") from error
    behind, ahead = call.git.log(base, f"^{middle}"), call.git.log(head, f"^{middle}")
    status = "diverged" if behind and ahead else "ahead" if ahead else "behind" if behind else "identical"
    page = paged(call, Page([*reversed(ahead)], batch=lambda shas: _shown(call, shas)), usual=250)
    first, second = _shown(call, [base, middle])
    me = f"{call.urls.repository(call.name)}/compare/{base}...{head}"
    html = call.urls.html(call.name, "compare", f"{base}...{head}")
    body = {
        "url": me,
        "html_url": html,
        "permalink_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "base_commit": first,
        "merge_base_commit": second,
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": page.body,
        "files": _files(call, middle, head),
    }
    return Answer(body, headers=page.headers)


@route("GET", "/repos/{owner}/{repo}/commits/{ref:.+}", "contents:read")
def commit(call: Call) -> Answer:
    sha = call.git.commit_of(call.params["ref"])
    if not sha:
        raise Problem(422, f"No commit found for SHA: {call.params['ref']}")
    found = call.git.commit(sha)
    files = _files(call, found.parents[0] if found.parents else EMPTY_TREE, sha)
    sums = {name: sum(file[name] for file in files) for name in ("additions", "deletions")}
    shown = shapes.commit(call.urls, call.name, found)
    return Answer(shown | {"stats": sums | {"total": sum(sums.values())}, "files": files})


def _shown(call: Call, shas: Sequence[str]) -> list[Json]:
    return [shapes.commit(call.urls, call.name, found) for found in call.git.commits(shas)]


def _files(call: Call, base: str, head: str) -> list[Json]:
    """What differs, in one process: raw lines say the blobs, numbers how much."""
    parts = call.git.run("diff-tree", "-r", "-z", "--no-renames", "--raw", "--numstat", base, head).split("\0")
    shas: dict[str, tuple[str, str]] = {}
    files = []
    while parts and parts[0].startswith(":"):
        _, _, old, new, letter = parts.pop(0).split(" ")
        shas[parts.pop(0)] = (letter, old if letter == "D" else new)
    for line in filter(None, parts):
        added, deleted, path = line.split("\t", 2)
        letter, sha = shas[path]
        counts = [int(number) if number.isdigit() else 0 for number in (added, deleted)]
        files.append(_file(call, head, path, sha, STATUS.get(letter, "changed"), counts))
    return files[:MOST_FILES]


def _file(call: Call, head: str, path: str, sha: str, status: str, counts: Sequence[int]) -> Json:
    return {
        "sha": sha,
        "filename": path,
        "status": status,
        "additions": counts[0],
        "deletions": counts[1],
        "changes": sum(counts),
        "blob_url": call.urls.html(call.name, "blob", head, path),
        "raw_url": call.urls.html(call.name, "raw", head, path),
        "contents_url": f"{call.urls.repository(call.name)}/contents/{shapes.quoted(path)}?ref={head}",
    }
