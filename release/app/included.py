"""A fleet out of several files: ours, and those of components that have a fleet themselves. Read when a command asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from release import config as configuration
from release.app.session import WORKERS, opening
from release.core.address import is_remote, located, without_secret
from release.core.config import Config, Downstream, Include
from release.core.finding import Conflict
from release.core.fleet import by_name
from release.core.fleet_file import Part, Whole, include_conflicts, merged, own_parts, part, unknown_include
from release.core.notation import bad_path, quoted
from release.core.version import names_in
from release.errors import ConfigError, ReleaseError

if TYPE_CHECKING:
    from release.adapters.git.checkout import Checkout
    from release.adapters.github import GitHub

Read = Callable[[Include, Downstream], tuple[str, str]]
"""From an include and its component to the name of the file for people, and its text."""


def whole(config: Config, root: Path, read: Read) -> Whole:
    """The configuration with the fleet that its files name; a ConfigError says which file does not fit, and why."""
    if not config.project.fleet:
        return Whole(config)
    stop(config.project.fleet, bad_path("project.fleet", config.project.fleet))
    file = configuration.fleet_file(root / config.project.fleet, config.project.fleet)
    stop(config.project.fleet, include_conflicts(config.project.fleet, file.include))
    parts = [*own_parts(config, file)]
    left = list(file.include)
    while left:  # what a component's file brings may be included in its turn
        known = by_name([one for each in parts for one in each.downstream])
        ready = [one for one in left if one.name in known]
        if not ready:
            stop(config.project.fleet, (unknown_include(config.project.fleet, one, known) for one in left))
        left = [one for one in left if one.name not in known]
        texts = together(read, [(one, known[one.name]) for one in ready])
        for one, (where, text) in zip(ready, texts, strict=True):
            found = part(one, known[one.name], configuration.included(text, where), where, config.project.forge)
            if not isinstance(found, Part):
                raise contradicting(where, found)
            parts.append(found)
    found_all = merged(config, parts)
    if not isinstance(found_all, Whole):
        raise contradicting(config.project.fleet, found_all)
    return found_all


def together(read: Read, wanted: Sequence[tuple[Include, Downstream]]) -> list[tuple[str, str]]:
    """All of them at the same time."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="sluice-includes") as pool:
        try:
            return list(pool.map(lambda one: read(*one), wanted))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def stop(where: str, found: Iterable[Conflict]) -> None:
    """Refuse what contradicts itself before more is read."""
    if conflicts := tuple(found):
        raise contradicting(where, conflicts)


def contradicting(where: str, found: Sequence[Conflict]) -> ConfigError:
    return ConfigError(f"{quoted(where)[1:-1]} cannot be used", problems=tuple(map(str, found)))


@dataclass(frozen=True)
class Reader:
    """Reads a component's own release.toml: from a checkout that lies here, else the one at the head of its branch.

    By one request of the forge where there is one; else by git, in the component's own store. A branch that tells lines apart
    is not one: then the repository's default branch counts.
    """

    root: Path
    fleet: str
    address: str
    checkout: Checkout
    github: GitHub | None

    def __call__(self, include: Include, one: Downstream) -> tuple[str, str]:
        if include.path:
            where = f"{include.path}/{include.file} (included as {include.name})"
            return where, configuration.included_file(
                (self.root / self.fleet).parent / include.path / include.file, where
            )
        branch = "" if names_in(one.branch) else one.branch
        place = f"{without_secret(one.repository)} at {branch or 'its default branch'}"
        where = f"{include.file} of {include.name} ({place})"
        if not is_remote(one.repository):
            raise ConfigError(f"{include.name} cannot be included: its repository is {place}", "write a URL or a path")
        try:
            content = self._content(include, one, branch)
        except ConfigError:
            raise
        except ReleaseError as error:
            error.message = f"{where} cannot be read: {error.message}"
            raise
        if content is None:
            raise ConfigError(f"there is no {where}", "mend the [[include]], or leave it out")
        return where, configuration.decoded(content, where)

    def _content(self, include: Include, one: Downstream, branch: str) -> bytes | None:
        if self.github is not None:
            return self.github.forge(one.repository).content(include.file, branch)
        from release.adapters.disk import safe
        from release.adapters.git.remote import GitRemote, store
        from release.adapters.git.run import Runner

        address = located(one.repository, self.address)
        objects = store(self.root / ".release" / "downstreams" / f"{safe(one.name)}.git")
        run = Runner(objects, config=self.checkout.config, credentials=opening(None, address))
        remote = GitRemote(address, run, shallow=True)
        tip = remote.tip(branch or remote.main())
        return remote.contents(tip, (include.file,))[include.file] if tip else None
