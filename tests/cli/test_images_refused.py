"""Images that cannot be made or brought where they belong: it is said in words, before anything is public."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from release.sandbox.registry import Fault
from tests.imaged import (
    APPS,
    DOCKERFILE,
    FILES,
    HEAD,
    IMAGE,
    ONE,
    STAGING,
    TAG,
    TAG_REF,
    Yard,
    picture,
    yard,
)

CONFIG = HEAD + APPS + picture(ONE)
SMALL = {**FILES, "payload": "payload\n"}
INDEX = "application/vnd.oci.image.index.v1+json"
FOREIGN = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
UPLOADS = f"/v2/{IMAGE}/blobs/uploads/*"
USERS = {"captain": "sesame", "guest": "sesame"}


@dataclass(frozen=True)
class Row:
    """What is wrong in the repository, with which exit code it is refused, and in which words."""

    code: int
    says: tuple[str, ...]
    dockerfile: str = DOCKERFILE
    change: tuple[str, str] = ("", "")
    links: Mapping[str, str] = field(default_factory=dict)
    needs: str = ""


ROWS = {
    "an instruction that nobody knows": Row(3, ("image-unbuildable", "line 2 of Dockerfile: FETCH is no instruction"), "FROM scratch\nFETCH payload /payload\n"),
    "a file to copy that is not there": Row(3, ("line 2 of Dockerfile", "nowhere"), "FROM scratch\nCOPY nowhere /nowhere\n"),
    "a file to copy from above": Row(3, ("line 2 of Dockerfile", r"\.\./"), "FROM scratch\nCOPY ../../etc/passwd /passwd\n"),
    "a link that leaves the context": Row(
        3, ("out in the context is a link to /etc/passwd",), "FROM scratch\nCOPY out /out\n", links={"out": "/etc/passwd"}
    ),
    "a context that is a link out of the repository": Row(
        3, ("leads out of the repository",), change=('file = "Dockerfile"', 'file = "Dockerfile"\ncontext = "up"'), links={"up": ".."}
    ),
    "a context above the repository": Row(2, (r"\.\.",), change=('file = "Dockerfile"', 'file = "Dockerfile"\ncontext = "../.."')),
    "a Dockerfile above the repository": Row(2, (r"\.\.",), change=('file = "Dockerfile"', 'file = "../Dockerfile"')),
    "no Dockerfile": Row(3, ("Missing is no file of the commit",), change=('file = "Dockerfile"', 'file = "Missing"')),
    "an artifact above its folder": Row(2, (r"\.\./app",), change=('name = "app-{arch}.txt"', 'name = "../app-{arch}.txt"')),
    "an artifact that the forge would rename": Row(
        2, ("my app",), change=('name = "app-{arch}.txt"', 'name = "my app-{arch}.txt"')
    ),
    "a program for a machine that this is not": Row(
        3, ("needs-emulation", "linux/s390x", "line 2 of Dockerfile"), 'FROM scratch\nRUN ["/app.txt"]\n',
        ('platforms = ["linux/amd64", "linux/arm64"]\nartifacts = ["app-{arch}.txt"]', 'platforms = ["linux/s390x"]'), needs="buildah",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_what_cannot_be_built_is_refused_with_its_line_before_anything_is_public(tmp_path: Path, name: str) -> None:
    row = ROWS[name]
    if row.needs and shutil.which(row.needs) is None:
        pytest.skip(f"{row.needs} is not here; scripts/images installs it")
    with yard(tmp_path, CONFIG.replace(*row.change), {**SMALL, "Dockerfile": row.dockerfile}) as some:
        clone = some.clone("captain")
        for path, target in row.links.items():
            os.symlink(target, clone / path)
        if row.links:
            some.world.commit(clone, {}, "feat: links")
        before = some.world.every_ref()
        some.release(clone).expect(row.code, *row.says)
        assert some.world.every_ref() == before
        assert some.registry.tags(IMAGE) == {}


def logged_in(some: Yard, user: str) -> None:
    """Give the captain's machine a login, as `docker login` does."""
    from base64 import b64encode

    place = Path(some.world.environment["HOME"], ".docker", "config.json")
    place.parent.mkdir()
    told = b64encode(f"{user}:{USERS[user]}".encode()).decode()
    place.write_text(json.dumps({"auths": {some.registry.host: {"auth": told}}}))


@pytest.mark.parametrize(("user", "tokens"), [("", False), ("guest", True)])
def test_a_registry_that_takes_nothing_from_us_is_found_before_anything_is_built(
    tmp_path: Path, user: str, tokens: bool
) -> None:
    with yard(tmp_path, CONFIG, SMALL, users=USERS, readers=("guest",), tokens=tokens) as some:
        clone = some.clone("captain")
        if user:
            logged_in(some, user)
        before = some.world.every_ref()
        answer = some.release(clone).expect(3, "registry-right|unseen", "docker login")
        assert some.world.every_ref() == before
        assert "sesame" not in answer.said
        assert not (clone / ".release" / "oci").exists()


def test_a_registry_that_breaks_off_each_time_stops_it_before_the_tag(tmp_path: Path) -> None:
    with yard(tmp_path, CONFIG, SMALL) as some:
        clone = some.clone("captain")
        some.registry.faults(Fault("PUT", UPLOADS, nth=0, reset=True))
        some.release(clone).expect(1, ONE, "run the same command again")
        some.untouched()
        some.registry.no_faults()
        some.release(clone).expect(0)
        assert TAG in some.registry.tags(IMAGE)


def test_a_disk_that_is_full_stops_it_before_the_tag(tmp_path: Path) -> None:
    files = {
        **SMALL,
        **{f"data/{n}": FILES["payload"][:600_000] for n in range(4)},
    }  # git keeps that once, a layer four times
    files["Dockerfile"] = "FROM scratch\nCOPY data /data\n"
    config = HEAD + picture(ONE).replace('artifacts = ["app-{arch}.txt"]', "")
    with yard(tmp_path, config, files) as some:
        clone = some.clone("captain")
        words = 'ulimit -f 1200; exec "$PYTHON" -m invoke release --yes'  # blocks of 512 bytes
        env = {"SLUICE_PLACES": some.clients.environment["SLUICE_PLACES"]}
        some.world.shell(clone, words, env).expect(1, "File too large", "run the same command again")
        some.untouched()
        some.release(clone).expect(0)
        assert TAG in some.registry.tags(IMAGE)


def claim(some: Yard) -> str:
    """Somebody else's image under the version's tag; its digest."""
    url = f"{some.registry.url}/v2/{IMAGE}/manifests/{TAG}"
    put = requests.put(url, json.dumps(FOREIGN), headers={"Content-Type": INDEX}, timeout=10)
    put.raise_for_status()
    return str(put.headers["Docker-Content-Digest"])


def test_a_version_that_somebody_has_an_image_of_is_refused_before_anything_begins(tmp_path: Path) -> None:
    with yard(tmp_path, CONFIG, SMALL) as some:
        theirs = claim(some)
        before = some.world.every_ref()
        some.release(some.clone("captain")).expect(3, "image-taken", f"{ONE}/{IMAGE}:{TAG}")
        assert some.world.every_ref() == before
        assert some.registry.tags(IMAGE) == {TAG: theirs}


# Somebody makes the image's tag at the last moment that there is.
RACING = """\
#!/bin/sh
while read -r old new ref; do
    case $ref in {ref}) ;; *) continue ;; esac
    {python} -I -S -c 'import sys, urllib.request as ask
url, body, kind = sys.argv[1:]
ask.urlopen(ask.Request(url, body.encode(), {"Content-Type": kind}, method="PUT"))' '{url}' '{body}' '{kind}' >&2
done
"""


@pytest.mark.parametrize("ref", ["refs/sluice/*", "refs/tags/*"])
def test_a_tag_of_an_image_that_somebody_makes_meanwhile_is_never_moved(tmp_path: Path, ref: str) -> None:
    with yard(tmp_path, CONFIG, SMALL) as some:
        told: dict[str, Any] = {
            "ref": ref, "python": sys.executable, "body": json.dumps(FOREIGN), "kind": INDEX,
            "url": f"{some.registry.url}/v2/{IMAGE}/manifests/{TAG}",
        }  # fmt: skip
        script = RACING
        for name, value in told.items():
            script = script.replace(f"{{{name}}}", value)
        some.world.refuse("upstream", script, "pre-receive")
        clone = some.clone("captain")
        some.release(clone).expect(3, "image-differs", f"{ONE}/{IMAGE}:{TAG} is sha256:", "never moved")
        tags = some.registry.tags(IMAGE)
        assert json.loads(some.registry.manifest(IMAGE, TAG)) == FOREIGN
        assert tags.get(STAGING) != tags[TAG]
        some.release(clone).expect(3, "image-differs")
        assert some.registry.tags(IMAGE) == tags
        assert (TAG_REF in some.world.refs()) == (ref == "refs/tags/*")
