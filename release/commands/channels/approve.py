"""Approve: say yes to a version, in the record of the channel that waits for it."""

from __future__ import annotations

import msgspec

from release.app.channels import Channels
from release.commands.adopt import asked_for
from release.core.channel_plan import Approved
from release.core.channel_record import Approval, ChannelState
from release.errors import UsageError


def approve(channels: Channels, name: str, version: str, why: str) -> Approved:
    """One person's yes counts once, whatever it is typed on; what is not there is a slip, and not to be said yes to."""
    channel, person = channels.named(name), channels.session.who()
    if not channel.approvals:
        raise UsageError(f"{name} waits for nobody's approval", "[[channel]] approvals says how many people it takes")
    wanted, session, now = asked_for(channels.session, version), channels.session, channels.now()
    tag, text = channels.rules.tag(wanted), wanted.text
    if tag not in session.refs(session.remote, session.repository).tags:
        raise UsageError(f"{tag} is not there: nobody can say yes to it", "invoke channel.list shows what comes next")

    def approved(state: ChannelState) -> tuple[ChannelState, str]:
        mine = person.email.lower()
        if any(one.version == text and one.by.email.lower() == mine for one in state.approvals):
            return state, ""
        given = (*state.approvals, Approval(text, person, now, why))
        return msgspec.structs.replace(state, approvals=given), f"approved {text} for {name}"

    state = channels.ledger.change(name, approved).state
    people = tuple(one.by.name for one in state.approvals if one.version == text)
    return Approved(name, text, people, channel.approvals)
