"""What commands about channels work with: records, pointers, health and alerts, opened around a session."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from release.app import clock
from release.app.session import NOBODY, Session
from release.core.channel_config import Channel
from release.core.model import Release
from release.core.promotion import PointWish
from release.core.version import Scheme, scheme
from release.errors import UsageError
from release.ports import ChannelLedger, Forge, Healths, Pointer, Remote
from release.redact import HIDE

if TYPE_CHECKING:
    from release.adapters.alerts import Alerts
    from release.adapters.git.channel_claims import ChannelClaims
    from release.steps.channel_doors import ChannelDoors
    from release.steps.pointing.doors import PointDoors


@dataclass(frozen=True)
class Channels:
    """The channels of a session's upstream."""

    session: Session

    def named(self, name: str) -> Channel:
        """A channel of the configuration."""
        found = next((one for one in self.session.config.channel if one.name == name), None)
        if found is None:
            names = ", ".join(one.name for one in self.session.config.channel)
            remedy = f"there are: {names}" if names else "release.toml has no [[channel]]"
            raise UsageError(f"there is no channel {name!r}", remedy)
        return found

    @cached_property
    def rules(self) -> Scheme:
        """How the upstream writes its versions."""
        return scheme(self.session.config.version, self.session.config.project.name)

    def now(self) -> str:
        """By the forge's clock, where there is one: machines that promote need not agree on theirs. ISO 8601 UTC."""
        forge = self.session.forge
        return forge.now() if forge is not None else clock.now()

    @cached_property
    def ledger(self) -> ChannelLedger:
        """The channels' records."""
        from release.adapters.git.channels import GitChannelLedger

        return GitChannelLedger(self.session.remote, self.session.person or NOBODY, self.now)

    def claims(self, channel: str, line: str) -> ChannelClaims:
        """What is claimed and proved of components that a move releases, in the channel's record."""
        from release.adapters.git.channel_claims import ChannelClaims

        return ChannelClaims(self.ledger, channel, line)

    @cached_property
    def healths(self) -> Healths:
        """What asks whether a release does well."""
        from release.adapters.health import Probes

        return Probes(self.session.http, self.session.commands, self.forge_at, self.session.environment, HIDE)

    @cached_property
    def alerts(self) -> Alerts:
        """Who is told what a person should know."""
        from release.adapters.alerts import Alerts

        return Alerts(self.session.http, self.session.config.alert, self.session.environment, HIDE)

    def pointer(self, wish: PointWish, release: Release, commit: str) -> Pointer:
        """A pointer, as a move to that release would have it."""
        from release.steps.pointing import pointer_of

        return pointer_of(wish, release, commit, self._places)

    def doors(self, release: Release, commit: str) -> ChannelDoors:
        """What the steps of a move act through."""
        from release.steps.channel_doors import ChannelDoors

        return ChannelDoors(
            doors=self.session.doors(),
            channels=self.ledger,
            pointer=lambda wish: self.pointer(wish, release, commit),
            healths=self.healths,
            person=self.session.person or NOBODY,
            now=self.now,
        )

    def remote_at(self, repository: str) -> Remote:
        """The repository of a file, "" for the upstream's."""
        return self.session.remote_at(repository, f"point-{repository}") if repository else self.session.remote

    def forge_at(self, repository: str) -> Forge | None:
        """A repository on the forge, "" for the upstream's; None without a forge."""
        github = self.session.github
        return github.forge(repository or self.session.repository) if github is not None else None

    @cached_property
    def _places(self) -> PointDoors:
        from release.steps.pointing.doors import PointDoors

        session = self.session
        return PointDoors(
            registry=lambda: session.registry,
            remote_at=self.remote_at,
            forge_at=self.forge_at,
            commands=lambda: session.commands,
            person=session.person or NOBODY,
            now=self.now,
            project=session.config.project.name or session.repository or "the upstream",
        )
