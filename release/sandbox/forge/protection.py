"""Decides which refs may be written, for pushes (git runs this file as a hook) and for the REST API alike.

Stands alone on the standard library, without any of ours: a hook has to start quickly.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeAlias

Policy: TypeAlias = Mapping[str, Any]
NULL = "0" * 40
FOLDER = "SLUICE_FORGE_PUSH"
WORKFLOWS = ".github/workflows"


def refusal(policy: Policy, ref: str, old: str, new: str, forced: bool) -> str:
    """Why a ref may not go from `old` to `new` (all zeros: not there), in GitHub's words; "" if it may."""
    if not ref.startswith(("refs/heads/", "refs/tags/")):
        hidden = ref.startswith("refs/pull/") or not policy["custom_refs"]
        return "error: GH014: funny refname: only branches and tags are accepted here" if hidden else ""
    if why := policy["locked"].get(ref) if old != NULL else policy["burned"].get(ref):
        return _violation(policy, ref, why)
    target, name = ("branch", ref[11:]) if ref.startswith("refs/heads/") else ("tag", ref[10:])
    rules = [rule for rule in policy["rules"] if rule["target"] == target and matches(name, rule["pattern"])]
    if not rules:
        return ""
    allowed = all(policy["login"] in rule["allow"] for rule in rules)
    return _branch(ref, new, forced, allowed) if target == "branch" else _tag(policy, ref, old, new, allowed)


def matches(name: str, pattern: str) -> bool:
    """Whether a branch or tag fits a rule's glob; only `**` goes over slashes."""
    if "**" in pattern:
        return fnmatchcase(name, pattern)
    parts, globs = name.split("/"), pattern.split("/")
    return len(parts) == len(globs) and all(map(fnmatchcase, parts, globs))


def _branch(ref: str, new: str, forced: bool, allowed: bool) -> str:
    why = ""
    if new == NULL:
        why = "Cannot delete this protected branch"
    elif forced:
        why = "Cannot force-push to this protected branch"
    elif not allowed:
        why = "You're not authorized to push to this branch. Visit https://docs.github.com/ for more information."
    return f"error: GH006: Protected branch update failed for {ref}.\n\n- {why}\n" if why else ""


def _tag(policy: Policy, ref: str, old: str, new: str, allowed: bool) -> str:
    if new == NULL:
        return _violation(policy, ref, "Cannot delete this protected ref.")
    if old != NULL:
        return _violation(policy, ref, "Cannot update this protected ref.")
    return "" if allowed else _violation(policy, ref, "Cannot create ref due to creations being restricted.")


def _violation(policy: Policy, ref: str, why: str) -> str:
    page = f"Review all repository rules at {policy['rules_url']}?ref={ref.replace('/', '%2F')}"
    return f"error: GH013: Repository rule violations found for {ref}.\n{page}\n\n- {why}\n"


def _hook() -> None:
    """pre-receive: says what is wrong, and writes down the refs that the update hook is to refuse, each by itself."""
    folder = Path(os.environ[FOLDER])
    policy = json.loads((folder / "policy.json").read_text("utf-8"))
    commands = [line.rstrip("\n").split(" ", 2) for line in os.fdopen(0, "r", errors="surrogateescape")]
    refused = {}
    for old, new, ref in commands:
        if why := refusal(policy, ref, old, new, _forced(old, new)) or _workflows(policy, new):
            refused[ref] = why
    for why in dict.fromkeys(refused.values()):
        os.write(2, (why + "\n").encode("utf-8", "surrogateescape"))
    names = "".join(f"{ref}\n" for ref in refused)
    (folder / "refused").write_bytes(names.encode("utf-8", "surrogateescape"))


def _forced(old: str, new: str) -> bool:
    if NULL in (old, new):
        return False
    return (
        subprocess.run(["git", "merge-base", "--is-ancestor", old, new], capture_output=True, check=False).returncode
        != 0
    )


def _workflows(policy: Policy, new: str) -> str:
    """Commits that are new here and change workflows ask for a right of their own."""
    if policy["workflows"] or new == NULL:
        return ""
    command = ["git", "log", "--format=", "--name-only", new, "--not", "--all", "--", WORKFLOWS]
    changed = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout.split("\n")[
        0
    ]
    if not changed:
        return ""
    right = "`workflow` scope" if policy["who"] == "a Personal Access Token" else "`workflows` permission"
    return f"refusing to allow {policy['who']} to create or update workflow `{changed}` without {right}"


if __name__ == "__main__":
    _hook()
