"""Uploads one file to a package index with twine, and prints how it ended, as JSON; run in a process of its own.

Of its own, because twine waits for an index without end, writes where it likes, and can only be stopped with its process.
Its arguments are the address that takes files ("" to only read the file), the file, and after how many seconds it gives up; the login is in the
environment (TWINE_USERNAME, TWINE_PASSWORD, TWINE_CERT as twine has them, TWINE_CLIENT_CERT), where no list of processes
shows it. It imports nothing of ours, so that it can be run by its path.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import redirect_stdout
from typing import Any

LONGEST = 8000  # characters of an index's answer


def main(url: str, file: str, seconds: str) -> None:
    """Upload, once; `status` is 0 where the index did not answer, `sent` whether it may have got the file all the same."""
    signal.alarm(int(seconds))
    with redirect_stdout(sys.stderr):
        verdict = uploaded(url, file) if url else read(file)
    print(json.dumps(verdict), flush=True)


def read(file: str) -> dict[str, Any]:
    """What twine reads of a file before it sends any: its name, its version, or what is wrong with it."""
    from twine.package import PackageFile

    try:
        package = PackageFile.from_filename(file, None)
    except Exception as wrong:  # a broken archive shows in many ways
        return {"status": 0, "sent": False, "words": str(wrong)}
    return {"status": 200, "sent": False, "words": "", "name": package.metadata["name"], "version": package.version}


def uploaded(url: str, file: str) -> dict[str, Any]:
    """What came of it: the status and the words of the index, else what went wrong."""
    from requests import RequestException
    from twine.package import PackageFile
    from twine.settings import Settings

    given = os.environ.get
    try:
        package = PackageFile.from_filename(file, None)
        repository = Settings(
            repository_url=url,
            username=given("TWINE_USERNAME"),
            password=given("TWINE_PASSWORD"),
            cacert=given("TWINE_CERT"),
            client_cert=given("TWINE_CLIENT_CERT"),
            non_interactive=True,
            disable_progress_bar=True,
        ).create_repository()
    except Exception as wrong:  # a broken archive shows in many ways; nothing was sent whichever it was
        return {"status": 0, "sent": False, "words": f"twine does not take it: {wrong}"}
    try:
        response = repository.upload(package, max_redirects=1)  # twine's word for one try
    except RequestException as lost:
        return {"status": 0, "sent": sent(lost), "words": str(reason(lost))}
    moved = response.headers.get("location", "") if response.is_redirect else ""
    return {"status": response.status_code, "sent": True, "words": moved or response.text[:LONGEST]}


def sent(lost: Exception) -> bool:
    """Whether anything can have reached the index: not where there never was a connection, or no trust in it."""
    from requests.exceptions import ConnectTimeout, InvalidSchema, InvalidURL, ProxyError, SSLError
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    never = isinstance(lost, (ConnectTimeout, InvalidSchema, InvalidURL, ProxyError, SSLError))
    return not (never or isinstance(reason(lost), (ConnectTimeoutError, NewConnectionError)))


def reason(lost: Exception) -> object:
    """What is inside the exceptions that requests and urllib3 wrap into each other."""
    inner = lost.args[0] if lost.args else lost
    return getattr(inner, "reason", None) or inner


if __name__ == "__main__":
    main(*sys.argv[1:])
