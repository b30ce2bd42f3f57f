"""Rules about others: the fleet, and what a release claims in registries and indexes."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.claims import claims, taken_conflicts
from release.core.commits import plain
from release.core.config import Component, Config, Downstream
from release.core.conflicts.rule import Proposal
from release.core.finding import Conflict
from release.core.fleet_status import NOT_SEEN
from release.core.naming import versions_in
from release.core.requires import Need, admits, in_step, needs, newest, outside, parse, project_name, rules_of
from release.core.version import Version


def looked_at(config: Config, version: Version) -> tuple[Downstream | Component, ...]:
    """Those whose tags the rules want to see; a rule that is off wants nothing."""
    line, kind = version.line, version.kind
    ahead = in_step(config, line, kind) if config.rules.get("downstream-ahead") != "off" else ()
    needed = outside(config, line, kind) if config.rules.get("requires") != "off" else ()
    return tuple({one.name: one for one in (*ahead, *needed)}.values())


def downstream_ahead(proposal: Proposal) -> Iterator[Conflict]:
    """A downstream has no version of a line that is later than its upstream's.

    Where its tags could not be seen, its own step says so before anything is written.
    """
    version, rules, ours = proposal.version, proposal.scheme, proposal.seen.refs.tags
    for one in in_step(proposal.config, version.line, version.kind):
        tags = proposal.around.components.get(one.name, NOT_SEEN).tags or ()
        later = [
            (other, tag)
            for tag, other in versions_in(one.tag, rules, tags)
            if other.line == version.line and other > version and rules.tag(other) not in ours
        ]
        if later:
            other, tag = max(later, key=lambda pair: pair[0].key)
            why = f"{one.name} has {plain(tag, 200)} already, which is after {proposal.tag} and of no release of the upstream"
            yield Conflict(
                "downstream-ahead", why, f"find out who tagged it; release {other.text} here, or take the next"
            )


def requires(proposal: Proposal) -> Iterator[Conflict]:
    """Of each component that somebody's range leaves out, the shortest chain that leads to it."""
    told: set[str] = set()
    for need in needs(proposal.config, proposal.version.line, proposal.version.kind):
        if need.name not in told and (why := _unmet(proposal, need)):
            told.add(need.name)
            remedy = f"release a {need.name} that fits, or change requires where it is too narrow"
            yield Conflict("requires", why, remedy)


def component_unseen(proposal: Proposal) -> Iterator[Conflict]:
    """Of a component that is needed it has to be seen which version is its newest."""
    config, version = proposal.config, proposal.version
    for one in outside(config, version.line, version.kind) if config.rules.get("requires") != "off" else ():
        found = proposal.around.components.get(one.name, NOT_SEEN)
        if found.tags is None:
            why = f"the tags of {one.name} could not be seen: {plain(found.error or 'nobody knows why', 300)}"
            yield Conflict("component-unseen", why, "run the same command again when it can be reached")


def perhaps_out(proposal: Proposal) -> Iterator[Conflict]:
    """The downstreams of a tag that is there of which it could not be seen whether the release is out there.

    Nothing where something of it is seen to be out: then that is known.
    """
    config, version, around = proposal.config, proposal.version, proposal.around
    unsure = proposal.aimed.pinned and not around.out
    for one in in_step(config, version.line, version.kind) if unsure else ():
        found = around.components.get(one.name, NOT_SEEN)
        if found.tags is None:
            error = plain(found.error or "nobody knows why", 300)
            why = f"the tags of {one.name} could not be seen, and {proposal.tag} may be out there: {error}"
            yield Conflict("component-unseen", why, "run the same command again when it can be reached")


def _unmet(proposal: Proposal, need: Need) -> str:
    """Why a need is not met, "" where it is, or where that could not be seen."""
    config, version = proposal.config, proposal.version
    rules = rules_of(config, need.name)
    wanted = parse("", need.text, rules)
    if isinstance(wanted, Conflict):  # a configuration that says so is refused before
        return ""
    if not any(one.name == need.name for one in outside(config, version.line, version.kind)):
        met = admits(wanted, version, rules)
        return "" if met else f"{_drawn(proposal, need)}, and this release is {proposal.tag}"
    found = _newest(proposal, need.name)
    if found is None:
        return ""
    if not found:
        return f"{_drawn(proposal, need)}, and it has no final version yet"
    tag, its = found
    return "" if admits(wanted, its, rules) else f"{_drawn(proposal, need)}, and its newest is {plain(tag, 200)}"


def _drawn(proposal: Proposal, need: Need) -> str:
    """`rke2 v1.34.0 -> k3s v1.33.9 needs etcd >=3.6`: whoever is not released here is told with its newest."""
    ours = {one.name for one in in_step(proposal.config, proposal.version.line, proposal.version.kind)}
    names = []
    for name in need.chain:
        if name == project_name(proposal.config):
            names.append(f"{name} {proposal.tag}")
        elif name in ours or not (found := _newest(proposal, name)):
            names.append(name)
        else:
            names.append(f"{name} {plain(found[0], 200)}")
    return f"{' -> '.join(names)} needs {need.name} {need.text}"


def _newest(proposal: Proposal, name: str) -> tuple[str, Version] | tuple[()] | None:
    """Somebody's newest final, () where there is none, None where that could not be seen."""
    config = proposal.config
    known: tuple[Downstream | Component, ...] = (*config.downstream, *config.component)
    one = next(one for one in known if one.name == name)
    tags = proposal.around.components.get(name, NOT_SEEN).tags
    return None if tags is None else newest(config, one, tags) or ()


def image_taken(proposal: Proposal) -> Iterator[Conflict]:
    """An image's tag is never moved."""
    return _claims(proposal, "image-taken")


def package_taken(proposal: Proposal) -> Iterator[Conflict]:
    """An index takes a version once."""
    return _claims(proposal, "package-taken")


def claim_unseen(proposal: Proposal) -> Iterator[Conflict]:
    """What could not be looked at is not taken for free."""
    return _claims(proposal, "claim-unseen")


def _claims(proposal: Proposal, rule: str) -> Iterator[Conflict]:
    """Of a tag that is there already, images and packages may be out: those are its own."""
    if proposal.aimed.pinned:
        return
    wanted = claims(proposal.config, proposal.version.line, proposal.version.kind, proposal.values)
    yield from (one for one in taken_conflicts(wanted, proposal.around.taken) if one.rule == rule)
