"""What is checked before a change goes in, and before a release begins."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
WORLDS = str((os.cpu_count() or 2) * 3 // 2)  # at once: a world waits for half of its time
nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "types", "tests", "e2e", "laws"]
nox.options.reuse_existing_virtualenvs = True
# A Python that is not here is skipped, in CI as well. The one that runs nox always counts: it is put last on
# PATH, so that at least one `tests` session runs.
nox.options.error_on_missing_interpreters = False
os.environ["PATH"] += os.pathsep + str(Path(getattr(sys, "_base_executable", sys.executable)).parent)


def offer_pythons(links: Path) -> None:
    """Put what pyenv keeps first on PATH, where its shims refuse every version that is not the active one."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for version in PYTHONS:
        kept = sorted(root.glob(f"versions/{version}.*/bin/python{version}"))
        if kept and not (links / kept[-1].name).exists():
            links.mkdir(parents=True, exist_ok=True)
            (links / kept[-1].name).unlink(missing_ok=True)
            (links / kept[-1].name).symlink_to(kept[-1])
    os.environ["PATH"] = f"{links}{os.pathsep}{os.environ['PATH']}"


offer_pythons(Path(__file__).parent / ".nox" / "pythons")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format, and who may import whom."""
    install(session)
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")
    session.run("lint-imports", "--no-cache", silent=True)


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict, over package, tasks, tests and this file."""
    install(session)
    session.run("mypy", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """What needs no whole world, on each supported Python that is here."""
    install(session)
    session.run("pytest", "-m", "not e2e and not slow", *session.posargs)


@nox.session(python=PYTHONS)
def e2e(session: nox.Session) -> None:
    """Whole worlds: commands as one types them, on real remotes and a real forge."""
    install(session)
    session.run("pytest", "-n", WORLDS, "-m", "e2e and not slow", *session.posargs)


@nox.session
def laws(session: nox.Session) -> None:
    """The slow laws: a release killed after every step, on many worlds."""
    install(session)
    session.run("pytest", "-n", WORLDS, "-m", "slow", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measurements side by side: not part of the tests, for a machine's moods are no fault of a change."""
    install(session)
    session.run("python", "benchmarks/startup.py")
    session.run("python", "benchmarks/graph.py")
    session.run("python", "-m", "benchmarks.history", *session.posargs)
    session.run("python", "-m", "benchmarks.images")
    session.run("python", "-m", "benchmarks.fleet_release")
    session.run("python", "-m", "benchmarks.fleet")


def install(session: nox.Session) -> None:
    """The project, compiled once: hundreds of commands start in a session of tests, and they write no bytecode."""
    if session.virtualenv.is_sandboxed:  # else, with --no-venv, it is there: `scripts/test` runs most in .venv
        session.install("-e", ".[dev,sandbox]")
    session.env["PYTHONDONTWRITEBYTECODE"] = ""
    session.run("python", "-m", "compileall", "-q", "release", silent=True)
