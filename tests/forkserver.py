"""`invoke` as a person types it, in a process forked from one that has everything imported: so typing costs no imports.

The server has no threads, and starts as `python -m invoke` would: its streams are pipes, its environment says nothing
of worlds. What is forked from it gets a folder, an environment, streams and words of its own, and ends as Python ends.
"""

from __future__ import annotations

import array
import atexit
import functools
import gc
import importlib
import importlib.util
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# What Python, its locale or an import reads once, at the start: a client with others of these needs its own process.
READ_AT_START = ("PYTHON", "LANG", "LC_", "LD_", "TZ", "GIT_PYTHON_", "LAW_D", "LAW_ROOT")
GIVEN = 5  # what is wanted, stdin, stdout, stderr, and where to say how it ended
STARTING = threading.Lock()
TYPED: set[tuple[object, ...]] = set()


def typed(
    words: Sequence[str], place: Path, environment: Mapping[str, str], start: Mapping[str, str], stdin: bytes = b""
) -> tuple[int, bytes, bytes]:
    """How a command ended, and what it said; `start` is what the server reads at its start."""
    with STARTING:
        door = server(tuple(sorted(start.items())))
    (their_in, ours_in), *ours = pipes = [os.pipe() for _ in range(GIVEN - 1)]
    theirs = (their_in, *(writing for _, writing in pipes[1:]))
    with tempfile.TemporaryFile() as wanted:
        wanted.write(json.dumps([str(place), dict(environment), list(words)]).encode())
        wanted.flush()
        given = array.array("i", [wanted.fileno(), *theirs])
        door.sendmsg([b"!"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, given)])
    for one in theirs:
        os.close(one)
    try:
        os.write(ours_in, stdin)
    except BrokenPipeError:
        pass
    finally:
        os.close(ours_in)
    out, err, end = drained(*(reading for reading, _ in ours))
    assert end, f"the server of {words} is gone"
    return int(end), out, err


def at_start(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that is read once, when Python and its modules start."""
    return {name: value for name, value in environment.items() if name.startswith(READ_AT_START)}


def worth(start: Mapping[str, str], words: Sequence[str]) -> bool:
    """Whether a command was started so before. The first one shows that it imports what it needs, and may be the only one."""
    kind = (*sorted(start.items()), *words[:1])
    with STARTING:
        known = kind in TYPED
        TYPED.add(kind)
    return known


@functools.cache
def server(start: tuple[tuple[str, str], ...]) -> socket.socket:
    """The way to a server, which ends with this process."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.forkserver", str(theirs.fileno())],
        cwd=Path(__file__).parent.parent, env={"PATH": os.environ["PATH"], **dict(start)}, pass_fds=[theirs.fileno()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    theirs.close()

    def end() -> None:
        ours.close()
        _, said = process.communicate()
        if said:
            print(said.decode("utf-8", "replace"), file=sys.stderr)

    atexit.register(end)
    return ours


def drained(*sources: int) -> list[bytes]:
    """All that comes out of pipes, until nobody holds their other ends."""
    said = {source: bytearray() for source in sources}
    with selectors.DefaultSelector() as waiting:
        for source in sources:
            waiting.register(source, selectors.EVENT_READ)
        while waiting.get_map():
            for key, _ in waiting.select():
                if more := os.read(key.fd, 1 << 16):
                    said[key.fd] += more
                else:
                    waiting.unregister(key.fd)
                    os.close(key.fd)
    return [bytes(one) for one in said.values()]


def serve(door: socket.socket) -> list[str] | None:
    """Fork for whoever asks: returns the words in each child, None in the server once nobody can ask any more."""
    while given := received(door):
        if not os.fork():
            door.close()
            return born(given)
        for one in given:
            os.close(one)
        while buried(os.WNOHANG):
            pass
    while buried(0):
        pass
    return None


def received(door: socket.socket) -> list[int]:
    """The descriptors that came with a request, none if there is no more."""
    given = array.array("i")
    said, ancillary, _, _ = door.recvmsg(1, socket.CMSG_SPACE(GIVEN * given.itemsize))
    for _, _, data in ancillary:
        given.frombytes(data)
    return list(given) if said else []


def buried(how: int) -> bool:
    """Whether one of those that wait for a client has ended."""
    try:
        return os.waitpid(-1, how) != (0, 0)
    except ChildProcessError:
        return False


def born(given: Sequence[int]) -> list[str]:
    """Be a client, whose parent waits to say how it ended."""
    wanted, *streams, end = given
    client = os.fork()
    if client:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for one in (wanted, *streams):
            os.close(one)
        os.write(end, str(os.waitstatus_to_exitcode(os.waitpid(client, 0)[1])).encode())
        os._exit(0)
    with open(wanted, "rb") as file:
        file.seek(0)
        place, environment, words = json.load(file)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.close(end)
    os.chdir(place)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = os.getcwd()
    return list(words)


def load() -> None:
    """Import all of the package but its sandbox, which no command of a release needs."""
    os.environ.update(GIT_PYTHON_REFRESH="quiet", GIT_PYTHON_GIT_EXECUTABLE="git-when-it-is-run")
    package: Any = importlib.import_module("release")
    for found in pkgutil.walk_packages(package.__path__, "release.", onerror=None):
        if "sandbox" not in found.name and not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()


def main() -> None:
    """Serve; in a child, be `python -m invoke`."""
    load()
    entry = importlib.util.find_spec("invoke.__main__")
    assert entry is not None
    try:
        words = serve(socket.socket(fileno=int(sys.argv[1])))
    except KeyboardInterrupt:  # it goes to the clients as well, and is theirs
        return
    if words is None:
        return
    sys.argv = [str(entry.origin), *words]
    from invoke.main import program

    try:
        program.run()
        leave(0)
    except SystemExit as ended:
        leave(ended.code)
        raise


def leave(code: object) -> None:
    """End as Python does, but do not take every module apart: that is most of a short command's time."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return  # Python's own end tells of it
    if isinstance(code, int | None):
        os._exit(code or 0)


if __name__ == "__main__":
    main()
