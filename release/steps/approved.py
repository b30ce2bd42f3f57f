"""People's yes to a version for a channel: in the channel's record, or as a deployment to an environment of the forge."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from release.core.commits import plain
from release.core.finding import Done, Finding, Underway
from release.core.forge import PACE
from release.core.promotion import Promotion
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import ChannelLedger
from release.steps.approval import LONGEST_TASK, ApprovalGate


@dataclass(frozen=True, eq=False)
class ApprovedInRecord(Step[str]):
    """Its value names those who said yes to this very version; who moves the channel may be one of them.

    One person is one address, in whatever case it is written. Whoever may write to the record can say anything there: who
    wants others to guard it takes an environment of the forge. `after` is what is looked at before anybody is asked.
    """

    promotion: Promotion
    after: tuple[Step[Any], ...]
    ledger: ChannelLedger

    means = True
    pace = PACE

    @property
    def deadline(self) -> float:
        return self.promotion.deadline

    def inspect(self, known: Known) -> Finding[str]:
        wish = self.promotion
        approvals = self.ledger.read(wish.channel).state.approvals
        people = {
            one.by.email.strip().casefold(): plain(one.by.name) for one in approvals if one.version == wish.version
        }
        names = ", ".join(people.values())
        if len(people) >= wish.approvals:
            return Done(f"approved by {names}", f"approved by {names}")
        said = f"{len(people)} of {wish.approvals} said yes to {wish.tag}" + (f" ({names})" if names else "")
        return Underway(f"{said}; who agrees types: invoke channel.approve {wish.channel} --version {wish.tag}")

    def apply(self, known: Known, say: Say) -> None:
        """Nobody says yes for others."""
        raise Refused(f"{self.promotion.tag} waits for people", "they approve it by invoke channel.approve")


@dataclass(frozen=True, eq=False)
class ChannelApproval(ApprovalGate):
    """Somebody who may says yes to the version for this channel; a yes to another channel, or to the release, is none.

    Its value tells who. `after` is what is looked at before anybody is asked.
    """

    promotion: Promotion
    after: tuple[Step[Any], ...]

    def inspect(self, known: Known) -> Finding[str]:
        found = super().inspect(known)
        return Done(found.detail, found.detail) if isinstance(found, Done) else found

    @property
    def commit(self) -> str:
        return self.promotion.commit

    @property
    def task(self) -> str:
        full = f"channel:{self.promotion.channel}:{self.promotion.tag}"
        if len(full) <= LONGEST_TASK:
            return full
        return f"{full[: LONGEST_TASK - 17]}:{sha256(full.encode()).hexdigest()[:16]}"

    @property
    def question(self) -> str:
        return f"Promote {self.promotion.tag} to {self.promotion.channel}?"
