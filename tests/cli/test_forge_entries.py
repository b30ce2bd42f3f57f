"""What a release on a forge says and when its followers begin: prereleases, notes, hostile names, order, what is awaited."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from release.core.publication import LIMIT
from tests.forge import Client
from tests.forged import MAKE, Fleet, fleet, names

TAG = "v0.1.0"
EXTRA = """\
name: extra
on:
  release:
    types: [published]
permissions:
  contents: write
jobs:
  extra:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: python extra.py "$UPLOADS"
        env:
          UPLOADS: ${{ github.event.release.upload_url }}
          TOKEN: ${{ github.token }}
"""
BRINGS = """\
import os, sys, urllib.request
headers = {"Authorization": "Bearer " + os.environ["TOKEN"], "Content-Type": "text/plain"}
url = sys.argv[1].split("{")[0] + "?name=images.txt"
urllib.request.urlopen(urllib.request.Request(url, b"digests", headers), timeout=30).close()
"""
BROKEN = 'import sys; sys.exit("no space left")\n' + MAKE


def configured(some: Fleet, *changes: tuple[str, str]) -> None:
    """Change the upstream's release.toml."""
    text = (some.world.folder / "seed-app" / "release.toml").read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    some.commit("app", {"release.toml": text}, "ci: another release.toml")


def subjects(some: Fleet, *messages: bytes) -> None:
    """Many commits on the upstream's main at once, with these messages."""
    stream = b""
    for number, message in enumerate(messages):
        stream += b"commit refs/heads/main\ncommitter @everyone [x](y) ::error <x@example.org> %d +0000\n" % (
            1_700_000_000 + number
        )
        stream += b"data %d\n%s\n" % (len(message), message)
        stream += b"" if number else b"from refs/heads/main^0\n"
        stream += b"M 644 inline n%d.txt\ndata 1\nx\n" % number
    subprocess.run(["git", "-C", str(some.git_of("app")), "fast-import", "--quiet"], input=stream, check=True)


def release(some: Fleet, tag: str = TAG, of: str = "app") -> dict[str, Any]:
    return next(one for one in some.releases(of) if one["tag_name"] == tag)


def asked(some: Fleet, method: str, path: str) -> int:
    """The place of the first such exchange in the order of all."""
    return next(number for number, one in enumerate(some.forge.exchanges()) if (one.method, one.path) == (method, path))


def test_candidates_are_prereleases_finals_are_not_and_nothing_becomes_the_latest(tmp_path: Path) -> None:
    with fleet(tmp_path) as some:
        clone = some.clone("ada")
        some.invoke(clone, "release", "--candidate", "--yes").expect(0, r"v0\.1\.0-rc\.1")
        assert release(some, "v0.1.0-rc.1")["prerelease"] is True
        assert release(some, "v0.1.0-rc.1", "first")["prerelease"] is True
        some.invoke(clone, "release", "--yes").expect(0)
        assert release(some)["prerelease"] is False
        assert release(some, of="first")["prerelease"] is False
        for name in ("app", "first", "second"):
            assert {one["make_latest"] for one in some.releases(name)} == {"false"}
        with closing(Client(some.forge, some.token)) as captain:
            assert captain("GET", "/repos/acme/app/releases/latest").status_code == 404


def test_title_notes_and_target_are_those_of_the_release(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        some.commit("app", {"fix.txt": ""}, "fix(core): mend it")
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(0)
        made = release(some)
        assert (made["name"], made["target_commitish"]) == (TAG, some.refs("app")[f"refs/tags/{TAG}"])
        assert made["body"].index("### Added") < made["body"].index("mend it")
        assert "**core**: mend it" in made["body"]
        assert made["body"].endswith(f"\n\n<!-- sluice release {TAG} -->\n")


def test_notes_that_are_longer_than_a_body_may_be_are_cut_and_say_so(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        subjects(some, *(b"feat: %s %d" % (b"very " * 90, number) for number in range(320)))
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(0)
        body = release(some)["body"]
        assert 90_000 < len(body) <= LIMIT
        assert re.search(rf"\n\nChanges left out here: \d+\.\n\n<!-- sluice release {TAG} -->\n\Z", body)
        some.invoke(clone, "release.verify").expect(0)
        some.invoke(clone, "release.withdraw", "--version", TAG, "--reason", "why " * 200, "--yes").expect(0)
        assert len(release(some)["body"]) <= LIMIT


def test_hostile_messages_are_words_in_the_notes(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        subjects(
            some,
            b"feat: <script>alert(1)</script> [x](http://evil) @everyone",
            b"fix: <!-- sluice release v9.9.9 --> hides",
            b"fix: \x1b[31mred\x1b[0m ::error::x ##[error]y",
            b"feat(<b>&): `rm -rf /` ${{ secrets.TOKEN }} $(id)",
            b"fix: bad \xff\xfe bytes\n\nBREAKING CHANGE: --> \r\n::set-output name=x::y",
        )
        clone = some.clone("ada")
        answer = some.invoke(clone, "release", "--yes").expect(0)
        (made,) = some.releases("app")
        body = made["body"]
        assert "<script" not in body
        assert "@everyone" not in body
        assert "\x1b" not in body + answer.said
        assert body.count("<!--") == body.count("-->") == 1
        assert r"\[x\](http://evil)" in body
        assert not [line for line in (body + answer.said).splitlines() if line.startswith("::")]
        some.invoke(clone, "release.verify").expect(0)


@pytest.mark.parametrize("trigger", ["release", "tag", "workflow_dispatch", "repository_dispatch"])
def test_a_plus_in_a_tag_is_a_plus_everywhere(trigger: str, tmp_path: Path) -> None:
    with fleet(tmp_path, {"first": trigger}) as some:
        configured(some, ('scheme = "semver"', 'scheme = "semver+revision"\nrevision = "rke2r"'))
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(0)
        tag = "v0.1.0+rke2r1"
        assert names(release(some, tag, "first")["assets"]) == {"first-amd64.txt", "first-arm64.txt"}
        assert release(some, tag)["body"].endswith(f"<!-- sluice release {tag} -->\n")
        assert [run["conclusion"] for run in some.forge.runs("acme/first")] == ["success"]
        some.invoke(clone, "release.verify", "--version", tag).expect(0)


def test_what_comes_after_another_begins_when_that_is_out(tmp_path: Path) -> None:
    with fleet(tmp_path, more={"second": 'after = ["first"]'}) as some:
        some.invoke(some.clone("ada"), "release", "--yes").expect(0)
        uploads = f"/repos/acme/first/releases/{release(some, of='first')['id']}/assets"
        started = asked(some, "POST", "/repos/acme/second/actions/workflows/release.yml/dispatches")
        assert asked(some, "POST", uploads) < started


def test_what_comes_after_one_that_failed_is_not_begun_and_says_what_it_waits_for(tmp_path: Path) -> None:
    chosen = {"first": "release", "second": "workflow_dispatch", "third": "tag"}
    with fleet(tmp_path, chosen, {"second": 'after = ["first"]'}) as some:
        some.commit("first", {"make.py": BROKEN}, "feat: break")
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(
            1, r"downstream first +failed", r"downstream second +pending +waits for downstream first", "no space left"
        )
        assert (some.releases("second"), some.forge.runs("acme/second")) == ([], [])
        assert len(release(some, of="third")["assets"]) == 2


def test_a_release_is_finished_without_what_is_not_required(tmp_path: Path) -> None:
    with fleet(tmp_path, more={"first": "required = false"}) as some:
        some.commit("first", {"make.py": BROKEN}, "feat: break")
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(1, r"downstream first +failed", r"finish +done", "no space left")
        some.invoke(clone, "release.status").expect(0, f"{TAG} finished")


def test_what_goes_by_channel_is_left_to_promotions(tmp_path: Path) -> None:
    with fleet(tmp_path, more={"second": 'per = "channel"\ntag = "{tag}.{channel}.{n}"'}) as some:
        answer = some.invoke(some.clone("ada"), "release", "--yes").expect(0)
        assert "downstream second" not in answer.out
        assert (some.releases("second"), some.forge.runs("acme/second")) == ([], [])
        assert not any("/acme/second/" in one.path for one in some.forge.exchanges())


def test_assets_that_another_workflow_brings_are_waited_for(tmp_path: Path) -> None:
    with fleet(tmp_path) as some:
        awaited = 'after_assets = ["app-{arch}.txt", "sha256sum-{arch}.txt"]'
        files: Mapping[str, str] = {".github/workflows/extra.yml": EXTRA}
        some.commit("app", files, "ci: bring more")
        some.commit("app", {"extra.py": BRINGS}, "feat: more")
        configured(some, (awaited, awaited.replace("]", ', "images.txt"]')))
        some.invoke(some.clone("ada"), "release", "--yes").expect(
            0, r"waits for images\.txt of v0\.1\.0|downstream first +done"
        )
        upload = asked(some, "POST", f"/repos/acme/app/releases/{release(some)['id']}/assets")
        assert "images.txt" in names(release(some)["assets"])
        exchanges = [(one.method, one.path, one.query) for one in some.forge.exchanges()]
        brought = max(number for number, one in enumerate(exchanges) if "name=images.txt" in one[2])
        assert upload < brought < asked(some, "POST", "/repos/acme/first/releases")
        assert brought < asked(some, "POST", "/repos/acme/second/actions/workflows/release.yml/dispatches")


def test_assets_that_nobody_brings_are_named_at_the_deadline(tmp_path: Path) -> None:
    with fleet(tmp_path, {"first": "release"}, {"first": 'deadline = "1s"'}) as some:
        awaited = 'after_assets = ["app-{arch}.txt", "sha256sum-{arch}.txt"]'
        configured(some, (awaited, awaited.replace("]", ', "images.txt"]')))
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(
            4, r"downstream first +underway +waits for images\.txt of v0\.1\.0"
        )
        assert some.releases("first") == []
        with closing(Client(some.forge, some.token)) as captain:
            where = {"upload_url": f"{some.forge.url}/api/uploads/repos/acme/app/releases/{release(some)['id']}/assets"}
            Client.good(captain.upload(where, "images.txt", b"digests"))
        some.invoke(clone, "release", "--yes")
        some.forge.idle()
        some.invoke(clone, "release", "--yes").expect(0)
