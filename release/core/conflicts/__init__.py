"""What can say no to a release: a rule a function, each with a name, what is so, and what to do about it.

`RULES` is the table of contents. What [rules] sets to "warn" is told, what it sets to "off" is not looked for; what a
person waives, with a reason, is set aside for one release, and its record says so. Safety rules stay errors.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence

from release.core.config import Config, Severity
from release.core.conflicts.elsewhere import ELSEWHERE
from release.core.conflicts.fleet import (
    claim_unseen,
    component_unseen,
    downstream_ahead,
    image_taken,
    looked_at,
    package_taken,
    perhaps_out,
    requires,
)
from release.core.conflicts.places import (
    behind,
    branch,
    candidate_elsewhere,
    dirty,
    no_candidate,
    untested,
    version_file,
    wrong_branch,
    wrong_line,
)
from release.core.conflicts.rule import Around, Judgement, Proposal, Rule
from release.core.conflicts.sources import fragment_unknown, upstream_unread
from release.core.conflicts.tags import (
    another_unfinished,
    backward,
    burned,
    image_tag_shared,
    nothing_changed,
    record_unreadable,
    tag_elsewhere,
)
from release.core.finding import Conflict
from release.core.model import Person, Waiver
from release.core.notation import quoted

__all__ = [
    "ALL",
    "RULES",
    "Around",
    "Judgement",
    "Proposal",
    "Rule",
    "judge",
    "looked_at",
    "misused",
    "nearest",
    "severity",
]

RULES: tuple[Rule, ...] = (
    Rule("tag-elsewhere", "the version's tag is on another commit, in this clone or on a remote",
         "choose the next version; a tag is never moved", tag_elsewhere, safety=True),
    Rule("burned", "the version was given up, and a number is never used twice", "take the next one", burned, safety=True),
    Rule("unfinished", "another version of the line has begun and is not finished",
         "finish it: invoke release --version V; or give it up: invoke release.abandon", another_unfinished, safety=True),
    Rule("record-unreadable", "the record of the line cannot be read", "look at it with `git show`", record_unreadable,
         safety=True),
    Rule("backward", "the version is not above the latest of its line, or not above a final in its history",
         "take a greater one", backward),
    Rule("nothing-changed", "a version or bump was asked for, and there is no commit since the last version",
         "leave it out, or commit something first", nothing_changed),
    Rule("wrong-line", "the branch is a line's, and the version is of another one: more than a patch, or asked for",
         "release it from its own branch, or say --version V of this line", wrong_line),
    Rule("wrong-branch", "the version's line has a branch of its own, and this is not it", "check that out", wrong_branch),
    Rule("branch", "the branch is none of [version] branches, or a tag's commit is in the history of none of them",
         "check out one of them", branch),
    Rule("behind", "the checkout is behind the remote's branch, from which the release is made", "git pull", behind, "warn"),
    Rule("dirty", "files that the release commit writes have changes that are not committed", "commit or stash them", dirty),
    Rule("version-file", "a version file does not say the version that is released, or that is tagged",
         "bring the file and the version together", version_file),
    Rule("upstream-unread", "the version of what the project is built on cannot be read", "mend [[upstream]] or the file",
         upstream_unread),
    Rule("fragment-unknown", "a news fragment is of no known kind", "rename it, or name its kind in [changes.fragment]",
         fragment_unknown, "warn"),
    Rule("no-candidate", "with final_from_candidate: the final has no candidate",
         "release one first: invoke release --candidate", no_candidate),
    Rule("candidate-elsewhere", "with final_from_candidate: the final is not its last candidate's commit",
         "tag a candidate on this branch: invoke release --candidate", candidate_elsewhere),
    Rule("untested", "without final_from_candidate: the final has candidates, and the last one is another commit",
         "release one more candidate first", untested, "warn"),
    Rule("image-tag-shared", "two versions have the same image tag, as 1.0.0+r1 and 1.0.0-r1 have",
         "choose a version that differs in more than + and -", image_tag_shared),
    Rule("image-taken", "an image's tag that the release claims is there already",
         "choose the next version, or have it deleted by whoever made it", image_taken),
    Rule("package-taken", "a package's version that the release claims is on the index already",
         "choose the next version", package_taken),
    Rule("claim-unseen", "it cannot be told whether what the release claims is free", "log in, or try again later",
         claim_unseen),
    Rule("downstream-ahead", "a downstream has a tag for a later version of the line, which its upstream lacks",
         "find out who tagged it; release that version here, or take the next", downstream_ahead),
    Rule("requires", "somebody needs versions of a component among which the one that would be used is not",
         "release a component that fits, or widen the range", requires),
    Rule("component-unseen", "the tags of a component that somebody needs, or of a downstream that may be tagged already, could not be seen", "try again later",
         component_unseen),
)  # fmt: skip

ALL: tuple[Rule, ...] = (*RULES, *ELSEWHERE)
"""Every rule: those that judge a version, then those that are met elsewhere."""

UNSEEN = "component-unseen"

_NAMED: Mapping[str, Rule] = {rule.name: rule for rule in ALL}


def judge(proposal: Proposal, waivers: Sequence[tuple[str, str]] = (), rules: Sequence[Rule] = RULES) -> Judgement:
    """All that stands against a proposal; `waivers` are names of rules with the reasons to set them aside.

    Only those that were needed are in the judgement. Of a tag that is there already, and of whose release others can see
    more than that, nothing can be refused any more: there, all but safety rules are only told. Where that could not be
    seen, it is what is told in place of their conflicts, for a tag must not be given up because something was out of reach.
    """
    reasons = dict(waivers)
    errors: list[Conflict] = [*misused(waivers)]
    warnings: list[Conflict] = []
    waived: list[Waiver] = []
    late = proposal.aimed.pinned and bool(proposal.around.out)
    unsure = _unsure(proposal, reasons)
    doubted = False
    for rule in rules:
        how = severity(rule, proposal.config)
        found = tuple(rule.check(proposal)) if rule.check is not None and how != "off" else ()
        if how == "warn" or (late and not rule.safety):
            warnings += found
        elif found and rule.name in reasons and not rule.safety:
            waived.append(Waiver(rule.name, reasons[rule.name], _by(proposal.seen.who)))
        elif unsure and not rule.safety and rule.name != UNSEEN:
            doubted = doubted or bool(found)
        else:
            errors += found
    return Judgement((*errors, *(unsure if doubted else ())), tuple(warnings), tuple(waived))


def _unsure(proposal: Proposal, reasons: Collection[str]) -> tuple[Conflict, ...]:
    """What keeps a tag from being refused for now, unless somebody has decided to go by what can be seen."""
    by_rule = severity(_NAMED[UNSEEN], proposal.config) == "error" and UNSEEN not in reasons
    return tuple(perhaps_out(proposal)) if by_rule else ()


def severity(rule: Rule, config: Config) -> Severity:
    """What a rule does: as [rules] has it, or as it comes."""
    return rule.severity if rule.safety else config.rules.get(rule.name, rule.severity)


def misused(waivers: Sequence[tuple[str, str]]) -> Iterator[Conflict]:
    """Waivers that are none: of no rule, of a rule that nobody can set aside, or without a reason."""
    for name, reason in waivers:
        rule = _NAMED.get(name)
        if rule is None:
            yield Conflict("unknown-rule", f"there is no rule {quoted(name)} to waive", nearest(name))
        elif rule.safety:
            yield Conflict("fixed-rule", f"the rule {name} cannot be waived: {rule.summary}", rule.remedy)
        elif not reason.strip():
            yield Conflict("no-reason", f"the rule {name} is waived without a reason", "say why: --reason TEXT")


def nearest(name: str, among: Collection[str] | None = None) -> str:
    """What was meant by a name that no rule has."""
    known = among if among is not None else [rule.name for rule in ALL if not rule.safety]
    near = difflib.get_close_matches(name[:100].lower(), list(known), n=1)
    return f"did you mean {near[0]}?" if near else "invoke release.rules lists them"


def _by(who: Person) -> str:
    return f"{who.name} <{who.email}>" if who.email else who.name
