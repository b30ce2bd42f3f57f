"""Makes a package for each architecture, and adds it to the release that asked for it. A package here is its spec, filled in."""

import json
import os
import urllib.parse
import urllib.request

ARCHES = {"amd64": "x86_64", "arm64": "aarch64"}
TAG = os.environ["TAG"]


def main() -> None:
    version = TAG.removeprefix("v").rsplit(".", 2)[0].replace("+", "~")
    with open("rpm/rke2.spec", encoding="utf-8") as file:
        spec = file.read().replace("%{rke2_version}", version)
    place = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/releases/tags/{urllib.parse.quote(TAG)}"
    release = json.load(asked(place))
    there = {asset["name"] for asset in release["assets"]}
    for arch, machine in ARCHES.items():
        name = f"rke2-{arch}.rpm"
        if name not in there:
            upload = f"{release['upload_url'].partition('{')[0]}?name={name}"
            asked(upload, f"{spec}BuildArch: {machine}\n".encode())


def asked(url: str, body: bytes | None = None):
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}", "Content-Type": "application/octet-stream"}
    return urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60)


if __name__ == "__main__":
    main()
