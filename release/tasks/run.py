"""Around every command: formats, exit codes, and errors told in one place."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from invoke.exceptions import Exit

from release.errors import ConfigError, ConflictError, ReleaseError, UsageError
from release.redact import HIDE

FORMATS = ("text", "json")


class Interrupted(ReleaseError):
    """Somebody ended the command before its time."""

    exit_code = 130


def present(value: object, form: str, code: int = 0) -> None:
    """Show what a command returned, and end with its exit code."""
    from release.reports import console, documents

    if form == "json":
        print(documents.document(value), flush=True)
    else:
        console.show(value)
    if code:
        raise Exit(code=code)


def aside(remarks: Iterable[str], form: str) -> None:
    """Remarks on a text that is all of stdout, so that it can be piped; JSON has them itself."""
    from release.reports import console

    for remark in remarks if form == "text" else ():
        print(f"note: {console.shown(remark)}", file=sys.stderr)


@contextmanager
def told(form: str) -> Iterator[None]:
    """Errors become one clear message and the documented exit code; a traceback only with `invoke --debug`."""
    try:
        if form not in FORMATS:
            raise UsageError(f"--format {form!r} is not known", f"there are: {', '.join(FORMATS)}")
        discreet()
        with terminable():
            yield
    except ReleaseError as error:
        if debugging():
            traced(error)
        tell(error, form)
        raise Exit(code=error.exit_code) from None
    except KeyboardInterrupt:
        print("\ninterrupted: the same command goes on from here", file=sys.stderr)
        answer(Interrupted("interrupted", "the same command goes on from here"), form)
        raise Exit(code=Interrupted.exit_code) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise Exit(code=1) from None
    except (Exit, SystemExit):
        raise
    except OSError as error:
        if debugging():
            traced(error)
        where = f" ({error.filename})" if error.filename else ""
        why = f"the system refused: {error.strerror or error}{where}"
        complain(ReleaseError(printable(why), "mend that, then run the same command again"), form)
        raise Exit(code=1) from None
    except Exception as bug:
        if debugging():
            traced(bug)
        why = f"this is a bug of ours: {type(bug).__name__}: {bug}"
        remedy = "run it as `invoke --debug ...`, and report what that prints; running it again does no harm"
        complain(ReleaseError(printable(why), remedy), form)
        raise Exit(code=1) from None


class Discreet(logging.Filter):
    """What libraries log goes through the redactor as well."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = HIDE.redacted(record.getMessage()), ()
        return True


def discreet() -> None:
    """Let no log tell a secret, at whatever level."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(one, Discreet) for one in handler.filters):
            handler.addFilter(Discreet())


def traced(error: BaseException) -> None:
    """Where an error came from, for whoever mends it."""
    print(HIDE.redacted("".join(traceback.format_exception(error))), file=sys.stderr)


@contextmanager
def terminable() -> Iterator[None]:
    """To be told to terminate is to be interrupted: what runs is ended first, and nothing is left behind."""
    here = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if here else None
    if before in (None, signal.SIG_IGN):  # not ours to decide
        yield
        return
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def interrupt(*_: object) -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


def tell(error: ReleaseError, form: str) -> None:
    """An error to whoever reads it: people on stderr, programs on stdout."""
    from release.reports import console

    answer(error, form)
    if isinstance(error, ConflictError):
        for line in console.conflict_lines(error.conflicts):
            print(line, file=sys.stderr)
        return
    problems = error.problems if isinstance(error, ConfigError) and error.problems != (str(error),) else ()
    message = error.message.partition("\n")[0] if problems else error.message
    print(f"error: {console.shown(message)}", file=sys.stderr)
    for problem in problems if not message.endswith(problems) else ():
        print(f"  - {console.shown(problem)}", file=sys.stderr)
    if error.remedy:
        print(f"       {console.shown(error.remedy)}", file=sys.stderr)


def complain(error: ReleaseError, form: str) -> None:
    """An error that nobody foresaw: told by as little as possible, for it may be anything."""
    print(f"error: {error.message}", file=sys.stderr)
    print(f"       {error.remedy}", file=sys.stderr)
    answer(error, form)


def answer(error: ReleaseError, form: str) -> None:
    """An error as JSON, if that was asked for; whoever asked may be gone by now, or have no room for it."""
    if form != "json":
        return
    try:
        from release.reports import documents

        print(documents.of_error(error), flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it ends


def confirmed(question: str, yes: bool, ask: Callable[[], bool]) -> None:
    """Acting has to be asked for: by a person at a terminal, or by `--yes`."""
    if yes:
        return
    if not ask():
        raise UsageError("nobody is here to be asked", "say --yes")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        print("nothing was done", file=sys.stderr)
        raise Exit(code=1)


def printable(text: str) -> str:
    """A message of unknown origin."""
    return "".join(c if c.isprintable() else "?" for c in HIDE.redacted(text))


def debugging() -> bool:
    """Whether invoke was started with --debug."""
    return logging.getLogger("invoke").isEnabledFor(logging.DEBUG)
