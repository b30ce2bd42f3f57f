"""What a rule is, what it judges, and what comes of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from release.core.aim import Aim, History, Observation
from release.core.claims import Claim, Hidden
from release.core.config import Config, Severity
from release.core.finding import Conflict
from release.core.fleet_status import Seen
from release.core.fragments import used_fragments
from release.core.model import Waiver
from release.core.span import Ranges
from release.core.version import Scheme, Version, scheme, template_values


class Around(msgspec.Struct, frozen=True):
    """What lies around a release, as far as a rule asked for it.

    `local` are the clone's own tags (name -> peeled commit), `components` the tags of the rest of the fleet by name,
    `taken` what is there of what the release claims (as in `taken_conflicts`). Of a tag that is there already:
    `holds` says of the branches where it may sit whether its commit is in their history (empty where the remote has no
    such branch, None where nobody looked), and `out` names what else of its release others can see.
    """

    local: Mapping[str, str] = {}
    components: Mapping[str, Seen] = {}
    taken: Mapping[Claim, str | Hidden] = {}
    holds: Mapping[str, bool] | None = None
    out: tuple[str, ...] = ()


class Proposal(msgspec.Struct, frozen=True):
    """A version that would be released from a commit, with all that is known of the world around it."""

    config: Config
    seen: Observation
    aimed: Aim
    history: History
    span: Ranges
    version: Version
    around: Around = Around()

    @property
    def scheme(self) -> Scheme:
        return scheme(self.config.version, self.config.project.name)

    @property
    def tag(self) -> str:
        return self.scheme.tag(self.version)

    @property
    def values(self) -> dict[str, str]:
        """What templates may say of the version."""
        rules = self.scheme
        return template_values(self.version, rules.tag(self.version), rules)

    @property
    def writes(self) -> frozenset[str]:
        """The paths of what a commit of the release writes or takes away; none where it has no commit of its own."""
        config, final = self.config, self.version.final
        if config.commit.mode != "push" or self.aimed.pinned:
            return frozenset()
        paths = {file.path for file in config.version.file} if config.version.source == "changes" else set()
        if final and config.changelog.file:
            paths.add(config.changelog.file)
        if final and "fragments" in config.changes.sources:
            paths.update(used_fragments(config, self.history.fragments))
        return frozenset(paths)

    def versions(self) -> dict[Version, str]:
        """Every version that the upstream has a tag of -> that tag's commit."""
        rules = self.scheme
        tags = self.seen.refs.tags
        return {version: tags[name] for name in tags if (version := rules.of_tag(name)) is not None}


Check = Callable[[Proposal], Iterator[Conflict]]


class Rule(msgspec.Struct, frozen=True):
    """Something that can say no; `name` is what its conflicts are called, in [rules], with --waive and in the record.

    A safety rule stays an error whatever anybody says: it keeps what is public from being changed, or there is nothing
    to go on with where it speaks. `check` is None where something else meets the conflict: `where` tells what.
    """

    name: str
    summary: str
    remedy: str
    check: Check | None = None
    severity: Severity = "error"
    safety: bool = False
    where: str = "the judgement of a version"


class Judgement(msgspec.Struct, frozen=True):
    """What stands against a proposal, what is only told, and which rules had to be set aside for it."""

    errors: tuple[Conflict, ...] = ()
    warnings: tuple[Conflict, ...] = ()
    waived: tuple[Waiver, ...] = ()
