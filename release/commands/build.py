"""Build: the files and the images of a release, on this machine. Nothing is written elsewhere, unless images are to be pushed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from release.app import Session
from release.commands.plan import states
from release.commands.subject import Subject, subject
from release.core.finding import Blocked, Conflict, Done, Finding
from release.core.images import noted_image
from release.core.made import Artifacts, ImageFact, ImageList, MadeFile
from release.core.model import Release
from release.core.plan import StepState
from release.core.record import Record
from release.engine.step import Step
from release.engine.walk import Event, Findings
from release.steps import Part, build_path, image_path, push_path
from release.steps.doors import Doors
from release.steps.given import Given, Notebook, Whole

Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Bench:
    """What is to be made: the steps, how they were found, and what stands against them."""

    subject: Subject
    part: Part
    steps: Sequence[Step[Any]]
    notebook: Notebook
    found: Findings
    conflicts: tuple[Conflict, ...]

    @property
    def shown(self) -> Sequence[Step[Any]]:
        """The steps that make something."""
        return [step for step in self.steps if not isinstance(step, (Given, Whole))]


def artifacts(session: Session, version: str) -> Bench:
    """The files of a release."""
    return looked(session, subject(session, version), build_path)


def images(session: Session, version: str, push: bool) -> Bench:
    """The images of a release, with the files that lie in them. They are pushed only where the tag in git is out."""
    about = subject(session, version)
    bench = looked(session, about, push_path if push and about.tagged else image_path)
    if not push or about.tagged == about.record.state.commit:
        return bench
    why = f"{about.release.tag} is not tagged on the upstream, and image tags come after that"
    remedy = f"release it first: invoke release --version {about.release.tag}"
    return replace(bench, conflicts=(Conflict("unmet-need", why, remedy), *bench.conflicts))


def looked(session: Session, about: Subject, path: Callable[[Doors, Release, Record], Part]) -> Bench:
    """Look at every step of a part of the path."""
    notebook = Notebook(about.record)
    doors = replace(session.doors(), ledger=notebook, ours=True, forge=None)
    part = path(doors, about.release, about.record)
    steps = part.steps
    with session.engine() as engine:
        found = engine.look(steps)
        conflicts = engine.preflight(steps, found)
    return Bench(about, part, steps, notebook, found, conflicts)


def make(session: Session, bench: Bench, listener: Listener) -> Bench:
    """Do it."""
    if bench.conflicts:
        return bench
    names = {step.name for step in bench.shown}

    def told(event: Event) -> None:
        if event.step in names:
            listener(event)

    with session.journal() as journal, session.engine(journal, told) as engine:
        found = engine.reach(bench.steps, bench.found)
    conflicts = tuple(finding.conflict for finding in found.values() if isinstance(finding, Blocked))
    return replace(bench, found=found, conflicts=conflicts)


def made_files(session: Session, bench: Bench, out: Path) -> Artifacts:
    """The files that were made, each under its own name in a folder of its commit."""
    folder = out / bench.subject.record.state.commit[:12]
    done = [file for step in bench.part.files for file in value(bench.found[step]) or ()]
    files = []
    for file in done:
        place = session.shelf.kept(file.sha256)
        assert place is not None, "it was made just now"
        session.shelf.lay(place, folder / file.name)
        files.append(MadeFile(file.name, str(folder / file.name), file.size, file.sha256))
    return Artifacts(tuple(files), bench.conflicts, unfinished(bench))


def made_images(session: Session, bench: Bench) -> ImageList:
    """The images that were made, and where each is."""
    facts = []
    for step in bench.part.images:
        image = noted_image(bench.notebook.record, step.wish)
        if image is not None and isinstance(bench.found[step], Done):
            pushed = tuple(
                str(one.target) for one in bench.part.tags if one.build is step and is_done(bench.found, one)
            )
            here = f"oci:{step.images.layout}:{step.wish.name}:{step.wish.tag}"
            facts.append(
                ImageFact(image.name, image.digest, image.platforms, image.builder, next(iter(pushed), here), pushed)
            )
    return ImageList(tuple(facts), bench.conflicts, unfinished(bench))


def unfinished(bench: Bench) -> tuple[StepState, ...]:
    """The steps, where not all is made."""
    shown = states(bench.shown, bench.found)
    return shown if bench.conflicts or any(step.state not in ("done", "skipped") for step in shown) else ()


def is_done(found: Mapping[Step[Any], Finding[Any]], step: Step[Any]) -> bool:
    return isinstance(found[step], Done)


def value(finding: Finding[Any]) -> Any:
    return finding.value if isinstance(finding, Done) else None
