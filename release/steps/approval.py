"""A gate of kind `approval`: somebody who may says yes to the base commit, as a deployment to an environment of the forge."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.finding import Conflict, Done, Failed, Finding, Pending, Underway
from release.core.forge import PACE, Deployment, Environment
from release.core.model import GateWish, Release
from release.engine.step import Known, Say, Step
from release.ports import Forge

LONGEST_TASK = 128
"""Characters that the forge takes."""
YES, NO = ("success", "in_progress"), ("failure", "error")


@dataclass(frozen=True, eq=False)
class ApprovalGate(Step[str]):
    """Its value is the commit that was approved. The request is a deployment whose task names the release's tag.

    The forge is asked, not the record: whoever may write to that may not thereby approve.

    A status `success` (or `in_progress`, as a job's environment gets once it was let through) is a yes, `failure` a no.
    Where the environment names reviewers, it counts only from one of them; a team's members are the forge's to know.
    """

    release: Release
    wish: GateWish
    forge: Forge

    means = True
    pace = PACE

    @property
    def deadline(self) -> float:
        return self.wish.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        if why := self.forge.lacks("deploy"):
            return (Conflict("forge-right", why, "give the token the right to write deployments there"),)
        if self.forge.environment(self.wish.environment) is None:
            why = f"{self.forge.name} has no environment {self.wish.environment}, and so nobody who could approve"
            return (Conflict("no-environment", why, "make it there, with required reviewers (Settings, Environments)"),)
        return ()

    def inspect(self, known: Known) -> Finding[str]:
        asked = self.forge.deployments(self.commit, self.wish.environment, self.task)
        if not asked:
            return Pending(f"ask for approval of {self.commit[:10]} in {self.wish.environment}")
        return self._judged(asked, self.forge.environment(self.wish.environment))

    def apply(self, known: Known, say: Say) -> None:
        """Ask; after a no, ask again."""
        self.forge.request(self.commit, self.wish.environment, self.task, self.question)

    @property
    def commit(self) -> str:
        """What is asked about."""
        return self.release.base

    @property
    def task(self) -> str:
        """What tells this request from others about the same commit."""
        return f"release:{self.release.tag}"[:LONGEST_TASK]

    @property
    def question(self) -> str:
        """What people read."""
        return f"Release {self.release.tag}?"

    def _judged(self, asked: tuple[Deployment, ...], environment: Environment | None) -> Finding[str]:
        newest = asked[0]
        may = environment is not None and (
            not environment.reviewers or environment.teams or newest.by in environment.reviewers
        )
        if newest.state in YES and may:
            return Done(self.commit, f"approved by {newest.by or 'somebody'} in {newest.environment}")
        if newest.state in NO:
            remedy = "the same command asks again"
            return Failed(f"{newest.by or 'somebody'} said no to {self.release.tag} in {newest.environment}", remedy)
        if newest.state in YES:
            return Underway(f"{newest.by} said yes, and is no reviewer of {newest.environment}: {self._how(newest)}")
        return Underway(f"waits for approval in {newest.environment}: {self._how(newest)}")

    def _how(self, asked: Deployment) -> str:
        where = f"repos/{self.forge.name}/deployments/{asked.id}/statuses"
        return f"gh api {where} -f state=success -F auto_inactive=false"
