"""What went wrong for users of real fleets, through the commands: each is refused, or made good.

That a component is not released before its upstream's files are there is held by `test_forge_entries.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import pushed
from tests.channeled import DAY, FILE, LATEST, STABLE, TESTING, Channeled, forged, plain
from tests.forge import Client
from tests.forged import Fleet, fleet
from tests.registries import registry

YEAR = 365.25 * DAY
BOTH = ("linux/amd64", "linux/arm64")
RUNTIME = """
[[image]]
name = "acme/app"
registries = ["{host}"]
file = "Dockerfile"
platforms = ["linux/amd64", "linux/arm64"]
"""
FOLLOWED = '\n[[channel.point]]\nkind = "image"\nimage = "{host}/acme/app:latest"\n'
FOLLOW = "channels:\n- name: latest\n  latest: ''\n"
PLAIN = '[[channel]]\nname = "latest"\n[[channel.point]]\nkind = "file"\npath = "channels.yaml"\nkey = "channels[name=latest].latest"\n'


@pytest.mark.parametrize(("there", "says"), [((), "not-out|no-image"), (BOTH[:1], r"linux/arm64")])
def test_a_channel_does_not_move_to_an_image_that_is_not_there_on_every_platform(
    tmp_path: Path, there: tuple[str, ...], says: str
) -> None:
    (tmp_path / "registry").mkdir()
    with registry(tmp_path / "registry") as hub:
        tables = (LATEST + FOLLOWED + RUNTIME).replace("{host}", hub.host)
        with plain(tmp_path / "world", tables) as some:
            some.out("v1.30.1+rke2r1")
            if there:
                pushed.index(hub, "acme/app", "v1.30.1-rke2r1", *there)
            ada, before = some.clone(), some.refs()
            some.promote(ada, "latest").expect(3, says)
            assert (some.refs(), some.says()) == (before, {"latest": ""})
            pushed.index(hub, "acme/app", "v1.30.1-rke2r1", *BOTH)
            some.promote(ada, "latest").expect(0, r"proof image .*v1\.30\.1-rke2r1 +done")
            assert some.says() == {"latest": "v1.30.1+rke2r1"}


@contextmanager
def released(folder: Path, downstreams: dict[str, str] | None = None) -> Iterator[tuple[Fleet, Path]]:
    """A release that came out on a forge, with its files, and a channel that has nothing yet."""
    with fleet(folder, downstreams or {}, gates=PLAIN) as some:
        some.commit("app", {"channels.yaml": FOLLOW}, "docs: what users follow")
        yield some, some.clone("ada")


def promote(some: Fleet, clone: Path) -> Any:
    return some.invoke(clone, "channel.promote", "--to", "latest", "--yes")


def says(some: Fleet) -> str:
    return some.world.git(some.git_of("app"), "show", "main:channels.yaml").rpartition("latest: ")[2].strip("'\"")


def asset(some: Fleet, name: str) -> dict[str, Any]:
    """A file of the newest release, as the forge keeps it."""
    return next(one for one in some.releases("app")[-1]["assets"] if one["name"] == name)


def upload(some: Fleet, name: str, content: bytes) -> None:
    """Somebody puts a file into the release."""
    place = f"{some.forge.url}/api/uploads/repos/acme/app/releases/{some.releases('app')[-1]['id']}/assets"
    with closing(Client(some.forge, some.token)) as captain:
        Client.good(captain.upload({"upload_url": place}, name, content))


def delete(some: Fleet, name: str) -> None:
    """Somebody takes a file out of the release."""
    with closing(Client(some.forge, some.token)) as captain:
        Client.good(captain("DELETE", f"/repos/acme/app/releases/assets/{asset(some, name)['id']}"))


def test_a_channel_does_not_move_while_a_file_is_missing_or_another_one_or_nobody_knows_it(tmp_path: Path) -> None:
    with released(tmp_path) as (some, ada):
        some.invoke(ada, "release", "--yes").expect(0)
        sums = "sha256sum-arm64.txt"
        content = (some.forge.folder / "assets" / asset(some, sums)["file"]).read_bytes()
        delete(some, sums)
        promote(some, ada).expect(
            3, r"\[unproved\]", r"lacks sha256sum-arm64\.txt", "invoke release.verify --version v0.1.0"
        )
        upload(some, sums, b"503 Service Unavailable")
        promote(some, ada).expect(3, r"\[unproved\]", r"sha256sum-arm64\.txt")
        delete(some, sums)
        upload(some, sums, content)
        upload(some, "app-riscv64.txt", b"who made this?")
        promote(some, ada).expect(3, r"\[unproved\]", r"app-riscv64\.txt")
        delete(some, "app-riscv64.txt")
        assert says(some) == ""
        promote(some, ada).expect(0, "proof assets +done")
        assert says(some) == "v0.1.0"


def test_a_channel_does_not_move_before_the_packages_are_out(tmp_path: Path) -> None:
    with released(tmp_path, {"packaging": "release"}) as (some, ada):
        some.commit("packaging", {"forgetful": ""}, "feat: forget")
        some.invoke(ada, "release", "--yes").expect(1, r"downstream packaging +failed")
        promote(some, ada).expect(1, r"proof downstream packaging +failed .* lacks packaging-amd64\.txt")
        assert says(some) == ""
        for arch in ("amd64", "arm64"):
            place = some.releases("packaging")[0]["id"]
            url = f"{some.forge.url}/api/uploads/repos/acme/packaging/releases/{place}/assets"
            with closing(Client(some.forge, some.token)) as captain:
                Client.good(captain.upload({"upload_url": url}, f"packaging-{arch}.txt", b"packages"))
        some.invoke(ada, "release", "--yes").expect(0)
        promote(some, ada).expect(0, "proof downstream packaging +done")
        assert says(some) == "v0.1.0"


def climbed(some: Channeled, clone: Path, channel: str, *tags: str) -> None:
    """Promote versions, one after the other."""
    some.out(*tags)
    for tag in tags:
        some.promote(clone, channel, "--version", tag).expect(0)


def test_a_bad_release_that_is_withdrawn_does_not_bring_latest_back_to_an_older_minor(tmp_path: Path) -> None:
    with forged(tmp_path, LATEST) as some:
        ada = some.clone()
        climbed(some, ada, "latest", "v1.29.9+rke2r1")
        some.invoke(ada, "release", "--version", "v1.30.1+rke2r1", "--yes").expect(0)
        some.promote(ada, "latest").expect(0)
        why = ("--reason", "it loses data", "--yes")
        some.invoke(ada, "release.withdraw", "--version", "v1.30.1+rke2r1", *why).expect(0)
        some.promote(ada, "").expect(0, "no channel has a release that is ripe for it")
        some.promote(ada, "latest", "--version", "v1.29.9+rke2r1").expect(0, "skipped: .* is of a lower line than")
        some.invoke(ada, "channel.rollback", "latest", "--allow-downgrade", *why).expect(
            3, r"\[rollback-nothing\] .* no earlier version of 1\.30 was there", "go forward"
        )
        assert some.says() == {"latest": "v1.30.1+rke2r1"}
        some.invoke(ada, "channel.rollback", "latest", *why).expect(0, r"the bad one: 1\.30\.1")
        some.promote(ada, "").expect(0)
        assert some.says() == {"latest": "v1.30.1+rke2r1"}
        some.out("v1.30.2+rke2r1")
        some.invoke(ada, "channel.resume", "latest", "--yes").expect(0)
        some.promote(ada, "").expect(0)
        assert some.says() == {"latest": "v1.30.2+rke2r1"}


def test_a_bad_release_that_is_deleted_does_not_bring_latest_back_either(tmp_path: Path) -> None:
    with forged(tmp_path, LATEST) as some:
        ada = some.clone()
        climbed(some, ada, "latest", "v1.29.9+rke2r1", "v1.30.1+rke2r1")
        assert some.forge is not None
        some.forge.store.remove(some.forge.releases("acme/app")[-1]["id"])
        some.promote(ada, "").expect(0, "no channel has a release that is ripe for it")
        some.promote(ada, "latest", "--version", "v1.29.9+rke2r1").expect(0, "skipped: ")
        some.invoke(ada, "channel.list").expect(
            0, "note: 1 releases are listed, and what a channel has is not among them"
        )
        assert some.says() == {"latest": "v1.30.1+rke2r1"}


def test_stable_does_not_go_from_1_28_to_1_30_and_what_it_has_is_no_prerelease(tmp_path: Path) -> None:
    marks = '\n[[channel.point]]\nkind = "release"\nlatest = false\n'
    with forged(tmp_path, STABLE.replace('follows = "latest"\nsoak = "24h"\n', "") + marks) as some:
        ada = some.clone()
        climbed(some, ada, "stable", "v1.28.13+rke2r1")
        some.out("v1.30.4+rke2r1", "v1.29.8-rc2+rke2r1")
        assert some.forge is not None
        for one in some.forge.releases("acme/app"):
            some.forge.store.change(one["id"], prerelease=True)
        before = some.refs()
        some.promote(ada, "stable").expect(
            3,
            r"\[minor-skip\] stable has 1\.28\.13\+rke2r1, and 1\.30\.4\+rke2r1 would skip 1\.29",
            "release one of 1.29",
        )
        some.promote(ada, "stable", "--version", "v1.29.8-rc2+rke2r1").expect(3, r"\[channel-accepts\]")
        assert some.refs() == before
        some.out("v1.29.8+rke2r1")
        some.promote(ada, "stable").expect(0, r"v1\.29\.8\+rke2r1 +into stable")
        some.promote(ada, "stable").expect(0, r"prerelease mark +done")
        assert some.says() == {"stable": "v1.30.4+rke2r1"}
        marked = {one["tag_name"]: one["prerelease"] for one in some.forge.releases("acme/app")}
        assert (marked["v1.30.4+rke2r1"], marked["v1.29.8-rc2+rke2r1"]) == (False, True)


def test_where_files_of_a_channel_differ_nobody_who_follows_the_lower_one_skips_a_minor(tmp_path: Path) -> None:
    two = STABLE.replace('follows = "latest"\nsoak = "24h"\n', "") + FILE.replace("channels.yaml", "mirror.yaml")
    with plain(tmp_path, two) as some:
        some.out("v1.28.13+rke2r1", "v1.29.8+rke2r1", "v1.30.4+rke2r1")
        some.follow(stable="v1.29.8+rke2r1")
        some.hand({"mirror.yaml": some.text().replace("v1.29.8", "v1.28.13")})
        ada, before = some.clone(), some.refs()
        some.promote(ada, "stable").expect(
            3, r"\[minor-skip\] a pointer of stable says 1\.28\.13\+rke2r1, and 1\.30\.4"
        )
        assert some.refs() == before
        some.promote(ada, "stable", "--version", "v1.29.8+rke2r1").expect(0)
        assert some.says("mirror.yaml") == {"stable": "v1.29.8+rke2r1"}
        some.promote(ada, "stable").expect(0)
        assert (some.says(), some.says("mirror.yaml")) == ({"stable": "v1.30.4+rke2r1"}, {"stable": "v1.30.4+rke2r1"})


@pytest.mark.parametrize("left", [2, 0])
def test_a_list_of_releases_that_an_outage_made_short_or_empty_is_not_believed(tmp_path: Path, left: int) -> None:
    with forged(tmp_path, TESTING + LATEST) as some:
        ada = some.clone()
        climbed(some, ada, "latest", "v1.29.8+rke2r1")
        some.out("v1.29.9+rke2r1", "v1.30.0+rke2r1", "v1.30.1+rke2r1")
        some.promote(ada, "testing").expect(0)
        before = some.refs()
        with outage(some, left):
            told = rf"{left or 'no'} releases? (is|are) listed"
            some.promote(ada, "").expect(0, "no channel has a release that is ripe for it", told)
            some.promote(ada, "latest").expect(3 if left else 0, told if left else "nothing newer is out for it")
            some.promote(ada, "latest", "--version", "v1.30.1+rke2r1").expect(2, "is tagged, and not published")
            some.invoke(ada, "channel.list").expect(0, f"note: {told}")
        assert (some.refs(), some.says()) == (before, {"testing": "v1.30.1+rke2r1", "latest": "v1.29.8+rke2r1"})
        some.promote(ada, "").expect(0)
        assert some.says() == {"testing": "v1.30.1+rke2r1", "latest": "v1.30.1+rke2r1"}


@contextmanager
def outage(some: Channeled, left: int) -> Iterator[None]:
    """The forge answers as ever, and lists no more than so many of the oldest releases."""
    assert some.forge is not None
    store, gone = some.forge.store, some.forge.releases("acme/app")[left:]
    for one in gone:
        store.remove(one["id"])
    yield
    for one in gone:
        store.add(
            "release",
            {k: v for k, v in one.items() if k not in ("id", "repo", "assets")},
            one["repo"],
            f"tag:{one['tag_name']}",
        )


def test_it_is_told_how_long_a_channel_has_stood_on_an_old_prerelease(tmp_path: Path) -> None:
    with forged(tmp_path, TESTING) as some:
        ada = some.clone()
        climbed(some, ada, "testing", "v1.22.0-rc1+rke2r1")
        some.later(4 * YEAR)
        (row,) = some.json(ada, "channel.list")["channels"]
        assert (row["tag"], round(row["age"] / YEAR)) == ("v1.22.0-rc1+rke2r1", 4)
        some.invoke(ada, "channel.list").expect(0, r"testing +v1\.22\.0-rc1\+rke2r1 .* 1461d$")


def test_the_next_candidate_is_numbered_by_all_tags_and_the_final_is_the_commit_that_was_tested(tmp_path: Path) -> None:
    with plain(tmp_path, TESTING + LATEST) as some:
        config = some.text("release.toml").replace("[commit]", "final_from_candidate = true\n\n[commit]")
        some.hand({"release.toml": config})
        some.out("v1.30.0+rke2r1", *(f"v1.31.0-rc{number}+rke2r1" for number in (1, 2, 4)))
        some.hand({"app.txt": "tested\n"}, "feat: what is tested")
        ada = some.clone()
        some.invoke(ada, "release", "--candidate", "--yes").expect(0, r"v1\.31\.0-rc5\+rke2r1")
        some.promote(ada, "testing").expect(0)
        some.hand({"app.txt": "not tested\n"}, "feat: what nobody tested")
        some.world.git(ada, "pull", "--quiet", "--ff-only")
        some.invoke(ada, "release", "--yes").expect(0, r"v1\.31\.0\+rke2r1")
        some.promote(ada, "latest").expect(0)
        tested, final = (
            some.world.git(some.git, "rev-parse", f"v1.31.0{stage}+rke2r1^{{commit}}") for stage in ("-rc5", "")
        )
        assert tested == final
        assert some.says() == {"testing": "v1.31.0-rc5+rke2r1", "latest": "v1.31.0+rke2r1"}
