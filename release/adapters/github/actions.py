"""Workflows on GitHub: started, followed, and asked why they failed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, cast

from release.adapters.github.door import ACTIONS, CONTENTS, Door, beforehand, segment
from release.adapters.github.shapes import JobShape, JobsShape, RunShape, RunsShape, Started, moment
from release.core.forge import Run
from release.errors import Refused, ReleaseError, Unseen
from release.redact import Redactor

SEEN = "actions: read"
NEWEST = 1000
RED = ("failure", "timed_out", "startup_failure", "action_required", "cancelled")  # the worst first
LINES, TEXT, LINE = 10, 2000, 4096  # of a complaint: lines, characters; of a log's line: bytes
_STAMP = re.compile(r"^\ufeff?\d{4}-\d\d-\d\dT[\d:.]+Z ")
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_COMMAND = re.compile(r"##\[[a-z-]+\]|^::[a-z-]+(?: [^:]*)?::")


class Actions:
    """The part of a `Forge` that runs workflows."""

    def __init__(self, door: Door, hide: Redactor) -> None:
        self._door, self._hide = door, hide

    def start(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> int:
        """`workflow_dispatch`. A forge that does not know how to tell the run refuses the question, and is asked without."""
        what = f"start {workflow} of {self._door.name}"
        with beforehand():
            path = f"actions/workflows/{segment(workflow)}/dispatches"
        body: dict[str, Any] = {"ref": ref, "inputs": dict(inputs)}
        try:
            answer = self._door.write(what, "POST", path, {**body, "return_run_details": True}, ACTIONS, Started)
        except Refused as refused:
            if "return_run_details" not in refused.message:
                raise
            answer = self._door.write(what, "POST", path, body, ACTIONS, Started)
        return cast(Started, answer.value).workflow_run_id if answer.value else 0

    def signal(self, event: str, payload: Mapping[str, str]) -> None:
        """`repository_dispatch`."""
        body = {"event_type": event, "client_payload": dict(payload)}
        self._door.write(f"send {event} to {self._door.name}", "POST", "dispatches", body, CONTENTS)

    def runs(
        self, workflow: str, event: str = "", branch: str = "", since: str = "", commit: str = ""
    ) -> tuple[Run, ...]:
        """Runs of a workflow file, newest first. They come in that order, so the first that is too old ends the search."""
        what = f"list the runs of {workflow} of {self._door.name}"
        path = f"actions/workflows/{segment(workflow)}/runs"
        asked = {"event": event, "branch": branch, "head_sha": commit, "exclude_pull_requests": "true"}
        pages = self._door.pages(what, path, RunsShape, SEEN, **asked)
        seen = (run(shape) for page in pages for shape in page.workflow_runs)
        return tuple(islice(fresh(seen, since), NEWEST))

    def run(self, number: int) -> Run | None:
        """A run by its id."""
        what = f"look at run {number} of {self._door.name}"
        found = self._door.find(what, f"actions/runs/{number}", RunShape, SEEN)
        return run(found) if found else None

    def complaint(self, run: int) -> str:
        """The failed job and its last lines; what cannot be read of it is left out, it is a help and no proof."""
        what = f"list the jobs of run {run} of {self._door.name}"
        pages = self._door.pages(what, f"actions/runs/{run}/jobs", JobsShape, SEEN, filter="latest")
        jobs = [job for page in pages for job in page.jobs if job.conclusion in RED]
        if not jobs:
            return ""
        job = min(jobs, key=lambda job: RED.index(job.conclusion or ""))
        return "\n".join((self._printable(job.name), *self._last(job)))[:TEXT]

    def rerun(self, run: int) -> None:
        """Run the failed jobs of a run once more."""
        what = f"run the failed jobs of run {run} of {self._door.name} again"
        self._door.write(what, "POST", f"actions/runs/{run}/rerun-failed-jobs", None, ACTIONS)

    def _last(self, job: JobShape) -> list[str]:
        """The lines of a job's log up to its last error, or its last ones; held are never more than these."""
        what = f"read the log of job {job.id} of {self._door.name}"
        tail: deque[str] = deque(maxlen=LINES)
        at_error: list[str] = []
        try:
            for raw in lines(self._door.pieces(what, f"actions/jobs/{job.id}/logs", "*/*", SEEN)):
                line = self._printable(raw)
                if line:
                    tail.append(line)
                if "##[error]" in raw:
                    at_error = list(tail)
        except ReleaseError:
            pass
        return at_error or list(tail)

    def _printable(self, raw: str) -> str:
        """A foreign line that can do nothing to a terminal or a log of Actions, and tells no secret."""
        bare = _COMMAND.sub("", _ANSI.sub("", _STAMP.sub("", raw)))
        shown = "".join(c for c in bare.rstrip() if c.isprintable() or c == "\t")
        return self._hide.redacted(shown)[: TEXT // LINES]


def run(shape: RunShape) -> Run:
    return Run(
        id=shape.id,
        workflow=shape.path.partition("@")[0],
        event=shape.event,
        branch=shape.head_branch or "",
        commit=shape.head_sha,
        title=shape.display_title,
        status=shape.status or "",
        conclusion=(shape.conclusion or "") if shape.status == "completed" else "",
        attempt=shape.run_attempt,
        created=moment(shape.created_at),
        url=shape.html_url,
        updated=moment(shape.updated_at),
    )


def fresh(runs: Iterable[Run], since: str) -> Iterator[Run]:
    """Runs up to the first that was created before a time; empty is any."""
    oldest = moment(since)
    if since and not oldest:
        raise Unseen(f"{since!r} is no time", "write it as 2030-01-31T12:00:00+00:00")
    for one in runs:
        if oldest and datetime.fromisoformat(one.created) < datetime.fromisoformat(oldest):
            return
        yield one


def lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """The lines of a log; one that is very long comes cut off."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line[:LINE].decode("utf-8", "replace") for line in whole)
        rest = rest[:LINE]
    if rest:
        yield rest.decode("utf-8", "replace")
