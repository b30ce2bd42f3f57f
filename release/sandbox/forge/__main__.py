"""`python -m release.sandbox.forge FOLDER --port N`: serves a folder until SIGTERM; one JSON line says where."""

from __future__ import annotations

import argparse
import json
import signal
import threading

from release.sandbox.forge.limits import GITHUB, Limits
from release.sandbox.forge.sandbox import Sandbox


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m release.sandbox.forge", description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--limits", action="store_true", help="GitHub's documented limits, the secondary ones too")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with Sandbox(options.folder, options.port, GITHUB if options.limits else Limits()) as forge:
        print(json.dumps({"url": forge.url, "api_url": forge.api_url, "port": forge.port}), flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
