"""What lies around a release that was decided on, as far as a rule wants to know it. Reads only."""

from __future__ import annotations

from collections.abc import Mapping

from release.app import Session
from release.commands.decide import Decision
from release.commands.fleet_status import seen
from release.core.aim import own_branch
from release.core.claims import Claim, Hidden, claims
from release.core.conflicts import Around, looked_at
from release.core.fleet_status import Seen
from release.core.requires import in_step
from release.core.version import Version, line_of_branch, render, scheme, template_values

OF_CLAIMS = ("image-taken", "package-taken", "claim-unseen")


def around(session: Session, found: Decision, version: Version) -> Around:
    """The clone's own tag, the tags of the fleet, what is claimed; of a tag that is there, where it sits and what else is out."""
    rules = scheme(found.config.version, found.config.project.name)
    tag = rules.tag(version)
    values = template_values(version, tag, rules)
    components = tags_of(session, found, version)
    pinned = found.aimed.pinned
    return Around(
        local=session.checkout.tagged(tag),
        components=components,
        taken={} if pinned else claimed(session, found, version, values),
        holds=holders(session, found, version) if pinned else None,
        out=others_see(session, found, version, values, components) if pinned else (),
    )


def tags_of(session: Session, found: Decision, version: Version) -> Mapping[str, Seen]:
    """The tags of those that a rule asks about, all looked at at once; what cannot be seen is said, not taken for absent."""
    wanted = {one.name: one for one in looked_at(found.config, version)}
    if found.aimed.pinned:
        wanted |= {one.name: one for one in in_step(found.config, version.line, version.kind)}
    if not wanted:
        return {}
    with session.engine() as engine:
        looks = engine.each(lambda one: seen(session, one), list(wanted.values()))
    return dict(zip(wanted, looks, strict=True))


def claimed(
    session: Session, found: Decision, version: Version, values: Mapping[str, str]
) -> Mapping[Claim, str | Hidden]:
    """What is there of what the release claims; nothing is asked where the rules are off."""
    if all(found.config.rules.get(name) == "off" for name in OF_CLAIMS):
        return {}
    return session.claimed(claims(found.config, version.line, version.kind, values))


def holders(session: Session, found: Decision, version: Version) -> Mapping[str, bool]:
    """Whether the branch of the version's line has the commit in its history; where the line has none, each branch of no line."""
    heads, templates = found.seen.refs.heads, found.config.version.branches
    own = own_branch(found.config, found.seen.refs, version.line)
    general = [name for name in heads if any(line_of_branch(one, name) == "" for one in templates)]
    names = [own] if own else general
    session.remote.bring([f"refs/heads/{name}" for name in names], [heads[name] for name in names])
    return {name: session.remote.ancestor(found.aimed.base, heads[name]) for name in names}


def others_see(
    session: Session, found: Decision, version: Version, values: Mapping[str, str], components: Mapping[str, Seen]
) -> tuple[str, ...]:
    """What of a release is seen to be out, besides its tag: its downstreams' tags, and the release on the forge.

    A downstream that could not be seen is not among them; that it may be out all the same, the judgement reads from
    `components`.
    """
    forge = session.forge
    published = forge is not None and forge.published(values["tag"]) is not None
    tagged = [
        one.name
        for one in in_step(found.config, version.line, version.kind)
        if render(one.tag, values) in (components[one.name].tags or {})
    ]
    return (*(["the release on the forge"] if published else []), *tagged)
