"""Which release a run of a workflow was for, as far as a list of runs tells.

A run for a tag has it as its branch. A dispatch runs for a branch: then the record knows its number, or its title names
the tag as a word of its own. What is left over is nobody's that we know of.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from release.core.forge import Run
from release.core.own_tags import Own
from release.core.record import Proof

NOTHING_DONE = ("skipped",)
"""How a run ends that did nothing at all."""

_WORD = re.compile(r"[\w.+/@-]+")
_LONGEST_TITLE = 1000  # characters that are searched


def by_tag(runs: Iterable[Run], tags: Collection[str], known: Mapping[int, str]) -> dict[str, list[Run]]:
    """Tag -> its runs, in the order of the list; `known` are numbers of runs that the record has, with their tags."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        for tag in _tags(run, tags, known):
            found.setdefault(tag, []).append(run)
    return found


def noted(name: str, proved: Mapping[str, Mapping[str, Proof]], own: Mapping[str, Sequence[Own]]) -> dict[int, str]:
    """The numbers of a component's runs that the record has, each with the tag that it was for."""
    known: dict[int, str] = {}
    for release, evidence in proved.items():
        proof, claim = evidence.get(f"downstream {name}"), evidence.get(f"dispatch {name}")
        tag = proof.tag if proof is not None else next((has.tag for has in own.get(release, ())), "")
        known |= {one.id: tag for one in (proof, claim) if one is not None and one.id and tag}
    return known


def _tags(run: Run, tags: Collection[str], known: Mapping[int, str]) -> Iterator[str]:
    if run.id in known:
        yield known[run.id]
    elif run.branch in tags:
        yield run.branch
    else:
        words = (word.rstrip(".") for word in _WORD.findall(run.title[:_LONGEST_TITLE]))
        yield from dict.fromkeys(word for word in words if word in tags)
