"""What was proposed by pull requests: the one that waits, the one that is merged, and whether that may be released."""

from __future__ import annotations

import msgspec

from release import observe
from release.app import Session
from release.commands.adopt import at_commit
from release.core import design, proposal
from release.core.aim import Aim, History, Observation, Refusal, Wishes, burned, rises
from release.core.changelog import told_of
from release.core.config import Config
from release.core.finding import Conflict
from release.core.model import Splice
from release.core.proposal import Offer
from release.core.version import Scheme, scheme

HEADS = "refs/heads/"


def offered(session: Session, seen: Observation, aimed: Aim, wishes: Wishes) -> tuple[Observation, Aim] | Refusal:
    """The aim with the pull request that goes before it: one that is merged, else the one that waits at the very commit.

    What waits keeps its day, so that nothing is pushed again because of a new one.
    """
    if not proposes(session) or aimed.pinned or aimed.branch not in seen.refs.heads:
        return seen, aimed
    rules = scheme(session.config.version, session.config.project.name)
    if (there := merged(session, seen, aimed.branch)) is not None:
        if not asked(rules, there, wishes):
            return (proposal.busy(there, rules.tag(there.version)),)
        return seen, brought(aimed, there, there.pull.merge)
    open_one = opened(session, aimed.branch)
    if open_one is None or open_one.mark.base != aimed.base or not asked(rules, open_one, wishes):
        return seen, aimed
    if rules.tag(open_one.version) in seen.refs.tags or open_one.version in burned(rules, seen):
        return seen, aimed
    return msgspec.structs.replace(seen, now=open_one.mark.date), brought(aimed, open_one, aimed.base)


def proposes(session: Session) -> bool:
    """Whether releases go by pull request here."""
    return session.config.commit.mode == "pull-request" and session.forge is not None


def merged(session: Session, seen: Observation, branch: str) -> Offer | None:
    """The newest merged pull request of ours that nothing has come of yet, if the branch has its commit."""
    forge, head = session.forge, seen.refs.heads[branch]
    assert forge is not None
    rules = scheme(session.config.version, session.config.project.name)
    found = forge.proposals(proposal.branch_for(branch), branch, "closed")
    there = proposal.awaited(rules, found, seen.refs.tags, burned(rules, seen))
    if there is None:
        return None
    session.remote.bring([HEADS + branch], [head])
    return there if session.remote.ancestor(there.pull.merge, head) else None


def opened(session: Session, branch: str) -> Offer | None:
    """The pull request of ours that is open."""
    assert session.forge is not None
    rules = scheme(session.config.version, session.config.project.name)
    found = next(session.forge.proposals(proposal.branch_for(branch), branch, "open"), None)
    return proposal.offer(rules, found) if found is not None else None


def asked(rules: Scheme, offer: Offer, wishes: Wishes) -> bool:
    """Whether what was typed may mean the version of a pull request."""
    final = offer.version.final
    if wishes.version:
        return rules.requested(wishes.version) == offer.version
    return not (wishes.stage and final) and (final or wishes.bump != "final") and rises(offer.mark.bump, wishes)


def brought(aimed: Aim, offer: Offer, base: str) -> Aim:
    """An aim at what a pull request brings."""
    version = offer.version
    return msgspec.structs.replace(aimed, base=base, version=version, stage=version.stage, bump="", offer=offer)


def notes_of(config: Config, aimed: Aim, history: History) -> str | None:
    """What the merged changelog says of the version: people may have polished it. None where it is ours to say."""
    text = history.files.get(config.changelog.file) if config.changelog.file else None
    if aimed.offer is None or not aimed.offer.merged or not aimed.offer.version.final or text is None:
        return None
    return told_of(text, aimed.offer.version.text)


def amiss(session: Session, config: Config, aimed: Aim, history: History) -> tuple[Conflict, ...]:
    """What the merged tree has besides what the release writes, compared with the commit that it was proposed on."""
    offer, remote = aimed.offer, session.remote
    if offer is None or not offer.merged:
        return ()
    tag = scheme(config.version, config.project.name).tag(offer.version)
    if not remote.ancestor(offer.mark.base, offer.pull.merge):
        return (proposal.astray(offer, tag),)
    before = observe.content(remote, session.config, offer.mark.base)
    config, _ = at_commit(session.config, before.files["release.toml"], before.base)
    before = observe.content(remote, config, offer.mark.base)
    written = design.edits(config, offer.version, before, "", offer.mark.date)
    wanted = proposal.applied([edit for edit in written if isinstance(edit, Splice)], before.files)
    lacks = {edit.path for edit in design.edits(config, offer.version, history, "", "") if isinstance(edit, Splice)}
    fixed = [path for path in wanted if path != config.changelog.file and path not in lacks]
    there = remote.contents(offer.pull.merge, fixed)
    changed = {path for _, path in remote.changed(offer.mark.base, offer.pull.merge)}
    besides = (changed - set(wanted)) | {path for path in fixed if there[path] != wanted[path]}
    return (proposal.unlisted(offer, tag, besides),) if besides else ()
