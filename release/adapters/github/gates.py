"""What says whether a commit is good, on GitHub: check runs, commit statuses, environments and deployments."""

from __future__ import annotations

import re
from typing import Literal

from release.adapters.github.door import DEPLOYMENTS, Door, segment
from release.adapters.github.shapes import (
    CheckShape,
    ChecksShape,
    DeploymentShape,
    DeploymentStatus,
    EnvironmentShape,
    RunShape,
    StatusesShape,
    StatusShape,
)
from release.core.forge import Check, Deployment, Environment
from release.errors import Refused

State = Literal["green", "red", "pending"]
GREEN = ("success", "neutral", "skipped")
STATUSES: dict[str, State] = {"success": "green", "pending": "pending"}
_RUN = re.compile(r"/(?P<name>[^/]+/[^/]+)/actions/runs/(?P<id>[0-9]{1,18})(?:[/?#]|$)")


class Gates:
    """The part of a `Forge` that says yes or no."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def checks(self, commit: str) -> tuple[Check, ...]:
        """The newest of each check run and of each commit status. Two APIs: neither knows of the other."""
        at = f"commits/{segment(commit)}"
        what = f"list the checks of {commit[:10]} in {self._door.name}"
        runs = self._door.pages(what, f"{at}/check-runs", ChecksShape, "checks: read", filter="latest")
        found = map(self._check, self._newest([one for page in runs for one in page.check_runs]))
        statuses = self._door.pages(what, f"{at}/status", StatusesShape, "statuses: read")
        newest: dict[str, StatusShape] = {}
        for one in (one for page in statuses for one in page.statuses):
            if one.context not in newest or newest[one.context].id < one.id:
                newest[one.context] = one
        return (*found, *map(self._status, newest.values()))

    def environment(self, name: str) -> Environment | None:
        """A deployment environment and who may approve there."""
        what = f"look for environment {name} of {self._door.name}"
        found = self._door.find(what, f"environments/{segment(name)}", EnvironmentShape, "actions: read")
        if found is None:
            return None
        reviewers = [one for rule in found.protection_rules for one in rule.reviewers]
        logins = (one.reviewer.login for one in reviewers if one.type == "User" and one.reviewer)
        return Environment(found.name, tuple(filter(None, logins)), any(one.type == "Team" for one in reviewers))

    def deployments(self, commit: str, environment: str, task: str) -> tuple[Deployment, ...]:
        """Requests for this commit, environment and task, newest first."""
        what = f"list the deployments of {commit[:10]} in {self._door.name}"
        pages = self._door.pages(
            what, "deployments", tuple[DeploymentShape, ...], "deployments: read",
            sha=commit, environment=environment, task=task,
        )  # fmt: skip
        found = {one.id: one for page in pages for one in page}  # a filter that a forge does not know filters nothing
        ours = [one for one in found.values() if (one.sha, one.environment, one.task) == (commit, environment, task)]
        return tuple(self._deployment(one) for one in sorted(ours, key=lambda one: one.id, reverse=True))

    def request(self, commit: str, environment: str, task: str, description: str) -> None:
        """Ask for a deployment of just this commit; checks are a gate of their own, so none is required for it."""
        body = {
            "ref": commit, "environment": environment, "task": task, "description": description,
            "auto_merge": False, "required_contexts": [],
        }  # fmt: skip
        what = f"ask for a deployment of {commit[:10]} to {environment} in {self._door.name}"
        answer = self._door.write(what, "POST", "deployments", body, DEPLOYMENTS)
        if answer.status != 201:
            raise Refused(f"cannot {what}: the forge answered {answer.status}, and made none", "")

    def _newest(self, shapes: list[CheckShape]) -> list[CheckShape]:
        """The newest check run of a name, by App. Jobs of two workflows may be called the same: each of them counts."""
        named: dict[tuple[str, str], list[CheckShape]] = {}
        for one in shapes:
            named.setdefault(((one.app and one.app.slug) or "", one.name), []).append(one)
        newest: dict[tuple[str, str, str], CheckShape] = {}
        for name, same in named.items():
            for one in sorted(same, key=lambda one: one.id):
                newest[(*name, self._workflow(self._run_of(one.details_url)) if len(same) > 1 else "")] = one
        return sorted(newest.values(), key=lambda one: one.id)

    def _workflow(self, run: int) -> str:
        """The file of a run's workflow, "" where there is none."""
        what = f"look at run {run} of {self._door.name}"
        found = self._door.find(what, f"actions/runs/{run}", RunShape, "actions: read") if run else None
        return found.path.partition("@")[0] if found else ""

    def _check(self, shape: CheckShape) -> Check:
        state: State = "pending"
        if shape.status == "completed":
            state = "green" if shape.conclusion in GREEN else "red"
        detail = (shape.output.title if shape.output else "") or shape.conclusion or shape.status
        return Check(shape.name, state, detail, self._run_of(shape.details_url))

    def _status(self, shape: StatusShape) -> Check:
        state = STATUSES.get(shape.state, "red")
        return Check(shape.context, state, shape.description or "", self._run_of(shape.target_url))

    def _run_of(self, url: str | None) -> int:
        """The run of this repository that an address names, 0 for none."""
        server = self._door.places.server
        found = _RUN.match(url.removeprefix(server)) if url and url.startswith(f"{server}/") else None
        return int(found["id"]) if found and found["name"].lower() == self._door.name.lower() else 0

    def _deployment(self, shape: DeploymentShape) -> Deployment:
        what = f"look at deployment {shape.id} of {self._door.name}"
        pages = self._door.pages(
            what, f"deployments/{shape.id}/statuses", tuple[DeploymentStatus, ...], "deployments: read"
        )
        told = (
            one for page in pages for one in page if one.state != "inactive"
        )  # that is said of it when another is let on
        newest = max(told, key=lambda one: one.id, default=None)
        made = Deployment(shape.id, shape.sha, shape.environment, shape.task)
        if newest is None:
            return made
        by = newest.creator.login if newest.creator else ""
        url = newest.log_url or newest.target_url or ""
        return Deployment(shape.id, shape.sha, shape.environment, shape.task, newest.state, by, url)
