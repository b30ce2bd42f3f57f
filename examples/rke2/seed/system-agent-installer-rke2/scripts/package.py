"""Packs rke2's binary of one platform with a script, and adds that to this repository's release of the same tag.

The binary is fetched from rke2's release and compared with the sum that lies beside it: what is not the very file that
was released is not packed. A file that is there already is left alone, so that the job can be run again; what an upload
that broke off left behind is no file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import tarfile
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

TAG, ARCH, TOKEN = os.environ["TAG"], os.environ["ARCH"], os.environ["GITHUB_TOKEN"]
API, SERVER, HERE = os.environ["GITHUB_API_URL"], os.environ["GITHUB_SERVER_URL"], os.environ["GITHUB_REPOSITORY"]
UPSTREAM = "rancher/rke2"


def main(script: str) -> None:
    """Fetch, compare, pack, add."""
    binary = f"rke2.linux-{ARCH}"
    content = fetched(binary)
    sums = dict(reversed(line.split()) for line in fetched(f"sha256sum-{ARCH}.txt").decode().splitlines())
    found = hashlib.sha256(content).hexdigest()
    if sums.get(binary) != found:
        sys.exit(f"{binary} of {TAG} has sha256 {found}, and {sums.get(binary)} was released")
    release = own_release()
    name = f"{HERE.partition('/')[2]}.linux-{ARCH}.tar"
    for asset in release["assets"]:
        if asset["name"] == name and asset["state"] == "uploaded":
            print(f"{name} is there already")
            return
        if asset["name"] == name:
            asked(asset["url"], method="DELETE")
    url = release["upload_url"].partition("{")[0]
    asked(f"{url}?name={quote(name)}", packed({binary: content, script: read(script)}), "application/x-tar")
    print(f"added {name} to {TAG}")


def fetched(name: str) -> bytes:
    """A file of the upstream's release."""
    url = f"{SERVER}/{UPSTREAM}/releases/download/{quote(TAG, safe='')}/{name}"
    try:
        with urlopen(url, timeout=60) as answer:
            return answer.read()
    except HTTPError as error:
        sys.exit(f"cannot fetch {name} of {UPSTREAM} {TAG}: {error.code} {error.reason}")


def own_release() -> dict:
    """This repository's release for the tag; where the upstream has not made it, it is made here."""
    try:
        return asked(f"{API}/repos/{HERE}/releases/tags/{quote(TAG, safe='')}")
    except HTTPError as error:
        if error.code != 404:
            raise
    body = {
        "tag_name": TAG,
        "prerelease": "-rc" in TAG,
        "make_latest": "false",
        "target_commitish": os.environ["GITHUB_SHA"],
    }
    return asked(f"{API}/repos/{HERE}/releases", json.dumps(body).encode(), "application/json")


def asked(url: str, body: bytes | None = None, kind: str = "", method: str | None = None) -> dict:
    """What the API answers."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/vnd.github+json"}
    headers |= {"Content-Type": kind} if kind else {}
    with urlopen(Request(url, body, headers, method=method), timeout=60) as answer:
        return json.loads(answer.read() or b"{}")


def packed(files: dict[str, bytes]) -> bytes:
    """A tar that is the same for the same files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
