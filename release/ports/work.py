"""What runs commands: gates, builds, publishers, releases of components."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from release.core.delegated import Ended
from release.core.model import (
    ArtifactWish,
    DownstreamWish,
    PublishWish,
)
from release.core.ran import Ran


class Workshop(Protocol):
    """Runs commands in throwaway clones of a commit, without secrets in their environment."""

    def missing(self, run: Sequence[str]) -> str:
        """The program of a command, if it is not to be found; else ""."""
        ...

    def gate(
        self, name: str, run: Sequence[str], commit: str, env: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        """Run a command at a commit; Refused with the end of its output if it fails."""
        ...

    def build(
        self,
        wish: ArtifactWish,
        commit: str,
        env: Mapping[str, str],
        inputs: Mapping[str, Path],
        keep: Callable[[str, Path], None],
        say: Callable[[str], None],
    ) -> None:
        """Make the files of a wish at a commit, and hand each of them, by its name, to `keep`; exactly those.

        `inputs` are files of other builds, by name. Refused where the build fails, or makes less or more than it should.
        """
        ...


class Delegates(Protocol):
    """Runs the own releases of components, each in a throwaway clone of its branch."""

    def missing(self, run: Sequence[str]) -> str:
        """The program of a command, if it is not to be found; else ""."""
        ...

    def release(self, wish: DownstreamWish, say: Callable[[str], None]) -> Ended:
        """Run a component's command to its end. Refused where it cannot begin."""
        ...

    def ended(self, wish: DownstreamWish) -> Ended | None:
        """How it ended when this process ran it last, None where it did not."""
        ...

    def unfinished(self, wish: DownstreamWish) -> bool:
        """Whether the component's own record says that this release has begun, and not that all of it is out. May raise Unseen."""
        ...


class Publishers(Protocol):
    """Runs a project's own commands that publish, in throwaway clones of a commit, with the variables that they name.

    `env` is what every build is told; `files` lie in `$SLUICE_ARTIFACTS`, by name.
    """

    def lacks(self, wish: PublishWish) -> str:
        """Why a command could not publish, "" if nothing says so: a program that is not here, a variable that is not set."""
        ...

    def publish(
        self,
        wish: PublishWish,
        commit: str,
        env: Mapping[str, str],
        files: Mapping[str, Path],
        say: Callable[[str], None],
    ) -> None:
        """Run it; Refused with the end of its output where it says that it failed, Uncertain where it was ended."""
        ...

    def exists(self, wish: PublishWish, commit: str, env: Mapping[str, str], files: Mapping[str, Path]) -> bool:
        """Whether it is out, by the command that looks; Unseen where that does not say."""
        ...


class Commands(Protocol):
    """Runs a project's own commands that look at the world or move something in it, in throwaway clones of a commit."""

    def missing(self, run: Sequence[str], env: Sequence[str]) -> str:
        """Why a command could not run, "" if nothing says so: a program that is not here, a variable that is not set."""
        ...

    def ran(
        self,
        name: str,
        run: Sequence[str],
        commit: str,
        told: Mapping[str, str],
        env: Sequence[str],
        seconds: float,
        say: Callable[[str], None],
    ) -> Ran:
        """Run it to its end. `told` are variables that say what is asked, `env` the names of those of ours that it gets besides.

        Refused where it cannot begin, Uncertain where it was ended because its `seconds` were over.
        """
        ...
