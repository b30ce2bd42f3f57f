"""References that are proposed to a component: the branch that has them, its commit, the words of its pull request."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from release.core.address import in_address
from release.core.commits import plain
from release.core.model import DownstreamWish, Release
from release.core.own_branch import code, hidden, part
from release.core.references import Said
from release.core.version import Scheme, Version, render, template_values

PREFIX = "sluice/update/"
MOST = 20
"""So many versions, the newest first, a pull request says to have stood for."""
_MARK = re.compile(r"<!-- sluice update (\S{1,200}(?: \S{1,200})*) -->")
_CLAIM = re.compile(
    r"Reference-Version: (\S{1,200})\nReference-Onto: ([0-9a-f]{64})\nReference-Tree: ([0-9a-f]{40,64})\n*$"
)


class Origin(msgspec.Struct, frozen=True):
    """What is released, as a component names it: the project, where people read of the release ("" for nowhere), its versions."""

    project: str
    link: str
    rules: Scheme


class Claim(msgspec.Struct, frozen=True):
    """What a commit of ours says of itself: the version it brings, the SHA-256 of the files that it was made for, and its tree."""

    version: str
    onto: str
    tree: str


def branch_for(project: str, component: str, base: str) -> str:
    """The branch that brings the references to a component's branch: one for each project, component and branch."""
    return f"{PREFIX}{part(project)}/{part(component)}/{base}"


def link_of(source: str, tag: str) -> str:
    """Where a forge shows a release; `source` is the address of the project, "" where it has none."""
    return f"{source}/releases/tag/{in_address(tag)}" if source else ""


def title(project: str, release: Release) -> str:
    """What the pull request is called, and the first line of its commit."""
    return f"chore(deps): {plain(project, 100)} {release.tag}"


def body(
    origin: Origin, release: Release, wish: DownstreamWish, said: Sequence[Said], earlier: Sequence[str] = ()
) -> str:
    """What is written where, and the mark by which any machine knows the pull request. What files said is nobody's markup.

    `earlier` are the versions that it stood for before this one.
    """
    versions = tuple(dict.fromkeys((release.version, *earlier)))[:MOST]
    named = f"[{release.tag}]({origin.link})" if origin.link else f"`{release.tag}`"
    lines = [f"- {code(_place(one))}: {code(one.wish.value)}, was {code(one.says)}" for one in said if one.edit]
    waits = "" if wish.trigger == "none" else f" {code(wish.name)} is released when this is merged."
    ends = "Closed without a merge, it is not opened again for this version."
    head = f"{plain(origin.project, 100)} {named} is out, and this names it here.{waits}"
    return "\n".join([head, "", *lines, "", ends, "", f"<!-- sluice update {' '.join(map(hidden, versions))} -->", ""])


def replaced(rules: Scheme, wish: DownstreamWish, versions: Sequence[str]) -> tuple[str, ...]:
    """Those of earlier versions that nobody waits for once this one is named: they would be written in the same place."""
    return tuple(text for text in versions if _same_place(rules, wish, rules.parse(text)))


def marked(text: str) -> tuple[str, ...]:
    """The versions in the mark of a pull request of ours, the one that it is for first; ours closes the description."""
    found = _MARK.findall(text)
    return tuple(one.replace("-%2D", "--") for one in found[-1].split(" ")) if found else ()


def message(project: str, release: Release, onto: str, tree: str = "") -> str:
    """What the commit says. Without a tree it is a draft, by which that is found out."""
    claim = f"Reference-Version: {release.version}\nReference-Onto: {onto}\nReference-Tree: {tree}\n"
    return f"{title(project, release)}\n\n{claim}"


def claimed(text: str) -> Claim | None:
    """What a commit's message claims, None for somebody else's."""
    found = _CLAIM.search(text)
    return Claim(*found.groups()) if found else None


def _same_place(rules: Scheme, wish: DownstreamWish, other: Version | None) -> bool:
    if other is None:
        return True
    told = template_values(other, rules.tag(other), rules)
    return any(not one.place or render(one.place, told) == f"{one.path} {one.key}" for one in wish.updates)


def _place(one: Said) -> str:
    return f"{one.wish.path} {one.wish.key}".strip()
