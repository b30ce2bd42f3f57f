"""Decide: what comes next, and why. Reads git and the sources of the bump; nothing else is looked at."""

from __future__ import annotations

import msgspec

from release import observe
from release.app import Session
from release.commands.adopt import at_commit
from release.commands.proposing import offered
from release.core import design
from release.core.aim import Aim, History, Nothing, Observation, Refusal, Wishes, aim, settle
from release.core.ancestry import trunk, within
from release.core.commits import Change, changes
from release.core.config import Config
from release.core.design import Choice
from release.core.facts import Facts
from release.core.finding import Conflict
from release.core.pulls import attributed
from release.core.record import Record
from release.core.span import Ranges, ranges


class Decision(msgspec.Struct, frozen=True):
    """What would be released from where, by the configuration at that commit, and what users would be told of.

    `facts` are those since the last final, `told` the changes that no release before this one has.
    """

    config: Config
    seen: Observation
    aimed: Aim
    history: History
    span: Ranges
    facts: Facts
    chosen: Choice | Nothing | Conflict
    told: tuple[Change, ...]
    remarks: tuple[str, ...] = ()


def decide(session: Session, seen: Observation, wishes: Wishes) -> Decision | Record | Nothing | Refusal:
    """What this run releases; a Record is a release that has begun already."""
    aimed = aim(session.config, seen, wishes)
    if not isinstance(aimed, Aim):
        return aimed
    found = offered(session, seen, aimed, wishes)
    return decided(session, *found) if isinstance(found[0], Observation) else found


def decided(session: Session, seen: Observation, aimed: Aim) -> Decision | Record | Nothing | Refusal:
    """The decision for a commit; a final that comes from a candidate is made from that one's."""
    history = observe.history(session.remote, session.config, seen, aimed)
    settled = settle(session.config, seen, aimed, history)
    if not isinstance(settled, Aim):
        return settled
    config, remarks = at_commit(session.config, history.files["release.toml"], history.base)
    if settled.base != aimed.base or reads_else(config, session.config):
        history = observe.history(session.remote, config, seen, settled)
        config, remarks = at_commit(session.config, history.files["release.toml"], history.base)
    span = ranges(config, seen, settled, history)
    facts = observe.facts(session.sources(config), config, history, span)
    chosen = design.choose(config, seen, settled, history, span, facts)
    return Decision(config, seen, settled, history, span, facts, chosen, telling(config, history, span, facts), remarks)


def reads_else(config: Config, working: Config) -> bool:
    """Whether the design has to look at other files or commits than those that were brought."""
    return any(
        getattr(config, table) != getattr(working, table) for table in ("version", "changelog", "changes", "upstream")
    )


def telling(config: Config, history: History, span: Ranges, facts: Facts) -> tuple[Change, ...]:
    """What is new in this release, each change with the pull request that brought it."""
    new, first_parent = within(history.commits, span.notes_from), config.changes.first_parent
    return design.told(attributed(changes(trunk(new) if first_parent else new, first_parent), new, facts.pulls))
