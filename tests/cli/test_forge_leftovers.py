"""What other runs, other people and broken uploads leave on a forge: it is taken up, replaced, or a clear stop."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from release.sandbox.forge import Fault
from tests.forge import Client
from tests.forged import Fleet, fleet, names

TAG = "v0.1.0"
MARK = f"<!-- sluice release {TAG} -->\n"
FILES = {"app-amd64.txt", "app-arm64.txt", "release.json", "sha256sum-amd64.txt", "sha256sum-arm64.txt"}
UPLOADS = "/repos/acme/app/releases/*/assets"
RELEASES = "/repos/acme/app/releases"


def complete(some: Fleet) -> dict[str, Any]:
    """The one release of the upstream: published, with the very files that its sums tell."""
    (release,) = some.releases("app")
    assert (release["draft"], release["tag_name"], release["make_latest"]) == (False, TAG, "false")
    assert names(release["assets"]) == FILES
    contents = {asset["name"]: content(some, asset) for asset in release["assets"]}
    for arch in ("amd64", "arm64"):
        line = contents[f"sha256sum-{arch}.txt"].decode()
        assert line == f"{hashlib.sha256(contents[f'app-{arch}.txt']).hexdigest()}  app-{arch}.txt\n"
    return release


def content(some: Fleet, asset: dict[str, Any]) -> bytes:
    """The stored bytes of an asset."""
    return Path(some.forge.folder, "assets", str(asset["file"])).read_bytes()


def stopped(some: Fleet, clone: Path) -> dict[str, Any]:
    """A release whose draft is there, that lacks an asset, and whose tag is not public; the draft."""
    some.forge.faults(Fault(method="POST", path=UPLOADS, nth=5, status=422, body={"message": "not today"}))
    some.invoke(clone, "release", "--yes").expect(1, "not today")
    assert f"refs/tags/{TAG}" not in some.refs("app")
    (draft,) = some.releases("app")
    assert draft["draft"] is True
    assert names(draft["assets"]) == FILES - {"release.json"}
    return draft


def by_hand(some: Fleet, method: str, path: str, **body: Any) -> Any:
    """Something that a captain does in the web."""
    with closing(Client(some.forge, some.token)) as captain:
        return Client.good(captain(method, f"/repos/acme/app{path}", body or None))


def uploaded(some: Fleet, release: dict[str, Any], name: str, content: bytes) -> None:
    """A file that somebody else adds."""
    where = {"upload_url": f"{some.forge.url}/api/uploads/repos/acme/app/releases/{release['id']}/assets"}
    with closing(Client(some.forge, some.token)) as captain:
        Client.good(captain.upload(where, name, content))


def dropped(some: Fleet, release: dict[str, Any], name: str) -> None:
    """A file that somebody takes away."""
    asset = next(asset for asset in release["assets"] if asset["name"] == name)
    by_hand(some, "DELETE", f"/releases/assets/{asset['id']}")


def test_a_crash_between_draft_and_assets_is_gone_on_from_with_the_same_draft(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        some.forge.faults(Fault(method="POST", path=UPLOADS, nth=0, status=403, body={"message": "no uploads today"}))
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(
            1, r"cannot upload app-a(md|rm)64\.txt to acme/app", "no uploads today"
        )
        (draft,) = some.releases("app")
        assert (draft["draft"], draft["assets"]) == (True, [])
        some.forge.no_faults()
        some.invoke(clone, "release", "--yes").expect(0)
        assert complete(some)["id"] == draft["id"]


def test_of_two_drafts_of_ours_one_is_published_and_the_other_is_gone(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        first, second = (
            by_hand(some, "POST", "/releases", tag_name=TAG, name="old", body=MARK, draft=True) for _ in range(2)
        )
        uploaded(some, second, "app-amd64.txt", b"of another run")
        some.invoke(some.clone("ada"), "release", "--yes").expect(0)
        assert complete(some)["id"] == first["id"]


def test_a_second_draft_of_ours_that_comes_meanwhile_is_dropped_with_publication(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        clone = some.clone("ada")
        draft = stopped(some, clone)
        by_hand(some, "POST", "/releases", tag_name=TAG, name="late", body=MARK, draft=True)
        some.invoke(clone, "release", "--yes").expect(0)
        assert complete(some)["id"] == draft["id"]


def test_a_draft_of_somebody_else_stops_the_release_before_its_first_write(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        by_hand(some, "POST", "/releases", tag_name=TAG, name="mine", body="by hand", draft=True)
        clone = some.clone("ada")
        before = some.refs("app"), some.releases("app")
        some.invoke(clone, "release", "--yes").expect(
            3,
            rf"acme/app has a draft of {TAG} that somebody else made",
            "publish it or delete it there",
            "nothing was written",
        )
        assert (some.refs("app"), some.releases("app")) == before
        by_hand(some, "DELETE", f"/releases/{before[1][0]['id']}")
        some.invoke(clone, "release", "--yes").expect(0)
        complete(some)


def test_a_draft_of_somebody_else_for_another_tag_is_left_alone(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        other = by_hand(
            some, "POST", "/releases", tag_name="v9.9.9", name="mine", body=MARK.replace(TAG, "v9.9.9"), draft=True
        )
        some.invoke(some.clone("ada"), "release", "--yes").expect(0)
        left = {release["id"]: release for release in some.releases("app")}
        assert (left[other["id"]]["draft"], len(left)) == (True, 2)


def test_a_release_that_somebody_made_by_hand_for_our_tag_stops_ours(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        clone = some.clone("ada")
        draft = stopped(some, clone)
        by_hand(some, "POST", "/releases", tag_name=TAG, target_commitish="main", body="by hand")
        before = some.releases("app")
        some.invoke(clone, "release", "--yes").expect(
            3, f"tag {TAG} exists on|{TAG} is released already", "invoke release.abandon|next version"
        )
        assert some.releases("app") == before
        assert before[0]["id"] == draft["id"]


def test_a_release_made_by_hand_once_our_tag_is_out_is_not_overwritten(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        some.forge.faults(Fault(method="PATCH", path=f"{RELEASES}/*", nth=0, status=403, body={"message": "not yet"}))
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(1, f"cannot publish release {TAG} of acme/app", "not yet")
        some.forge.no_faults()
        by_hand(some, "POST", "/releases", tag_name=TAG, body="by hand")
        before = some.releases("app")
        some.invoke(clone, "release", "--yes").expect(
            3, f"{TAG} is released already", "did not make that", "nothing is overwritten"
        )
        assert some.releases("app") == before


@pytest.mark.parametrize("file", ["app-amd64.txt", "release.json"])
def test_an_upload_that_breaks_off_leaves_an_empty_asset_which_is_replaced(file: str, tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        nth = 1 if file == "app-amd64.txt" else 5
        some.forge.faults(Fault(method="POST", path=UPLOADS, nth=nth, status=502, starter=True))
        clone = some.clone("ada")
        answer = some.invoke(clone, "release", "--yes")
        if answer.code:
            answer.expect(1)
            some.invoke(clone, "release", "--yes").expect(0)
        complete(some)


def test_an_asset_that_another_run_put_into_the_draft_with_other_bytes_is_replaced(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        clone = some.clone("ada")
        draft = stopped(some, clone)
        dropped(some, draft, "app-amd64.txt")
        uploaded(some, draft, "app-amd64.txt", b"other bytes")
        some.invoke(clone, "release", "--yes").expect(0)
        complete(some)


def test_an_asset_that_nobody_knows_in_our_draft_is_not_published(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        clone = some.clone("ada")
        draft = stopped(some, clone)
        uploaded(some, draft, "backdoor.sh", b"#!/bin/sh\n")
        some.invoke(clone, "release", "--yes").expect(
            1,
            rf"the draft of {TAG} holds backdoor\.sh, which is no part of it",
            "delete that in the draft, then run the same command again",
        )
        assert some.releases("app")[0]["draft"] is True
        dropped(some, some.releases("app")[0], "backdoor.sh")
        some.invoke(clone, "release", "--yes").expect(0)
        complete(some)


def test_a_draft_that_somebody_deleted_in_the_middle_is_made_again(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        clone = some.clone("ada")
        draft = stopped(some, clone)
        by_hand(some, "DELETE", f"/releases/{draft['id']}")
        some.invoke(clone, "release", "--yes").expect(0)
        assert complete(some)["id"] != draft["id"]


def test_a_draft_that_was_deleted_is_made_again_by_a_fresh_clone_too(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        draft = stopped(some, some.clone("ada"))
        by_hand(some, "DELETE", f"/releases/{draft['id']}")
        some.invoke(some.clone("bob"), "release", "--yes").expect(0)
        complete(some)


def test_a_draft_that_somebody_edited_says_what_it_has_to_in_the_end(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        clone = some.clone("ada")
        draft = stopped(some, clone)
        by_hand(
            some,
            "PATCH",
            f"/releases/{draft['id']}",
            tag_name=TAG,
            body=f"look here\n\n{MARK}",
            name="Better",
            prerelease=True,
            target_commitish="main",
        )
        some.invoke(clone, "release", "--yes").expect(0)
        release = complete(some)
        assert (release["id"], release["name"], release["prerelease"]) == (draft["id"], TAG, False)
        assert release["body"].endswith(MARK)


@pytest.mark.parametrize("immutable", [False, True])
def test_a_published_asset_with_other_bytes_is_a_clear_stop(immutable: bool, tmp_path: Path) -> None:
    with fleet(tmp_path, {"first": "release"}, immutable=immutable) as some:
        some.forge.runner("acme/first", starts=False)
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(1, "acme/first")
        release = some.releases("app")[0]
        changed(some, release, "app-amd64.txt", b"other bytes")
        before = some.releases("app")
        some.invoke(clone, "release", "--yes").expect(
            3,
            rf"app-amd64\.txt of {TAG} was published with sha256 {hashlib.sha256(b'other bytes').hexdigest()[:12]}, not",
            "nothing is overwritten",
        )
        assert some.releases("app") == before


def test_a_published_immutable_release_that_lacks_an_asset_is_a_clear_stop(tmp_path: Path) -> None:
    with fleet(tmp_path, {"first": "release"}, immutable=True) as some:
        some.forge.runner("acme/first", starts=False)
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(1, "acme/first")
        release = some.releases("app")[0]
        assert release["immutable"] is True
        some.forge.store.remove(next(a["id"] for a in release["assets"] if a["name"] == "release.json"))
        before = some.releases("app")
        some.invoke(clone, "release", "--yes").expect(
            3, rf"{TAG} is published and immutable, and lacks release\.json", "take the next version"
        )
        assert some.releases("app") == before


def changed(some: Fleet, release: dict[str, Any], name: str, content: bytes) -> None:
    """Other bytes under the same name, whatever the forge's rules say."""
    asset = next(asset for asset in release["assets"] if asset["name"] == name)
    (some.forge.folder / "assets" / asset["file"]).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    some.forge.store.change(asset["id"], size=len(content), digest=f"sha256:{digest}")


def test_what_another_machine_uploaded_is_adopted_by_its_digest_and_not_built_again(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        config = (some.world.folder / "seed-app" / "release.toml").read_text()
        noisy = config.replace(
            "printf '%s %s' ", f"echo >> {tmp_path}/built; printf '%s %s '$(od -An -N8 -tx8 /dev/urandom) "
        )
        assert noisy != config
        some.commit("app", {"release.toml": noisy}, "ci: a build that is never the same")
        draft = stopped(some, some.clone("ada"))
        built = (tmp_path / "built").read_text()
        assert len(built.splitlines()) == 2
        bob = some.clone("bob")
        assert not (bob / ".release").exists()
        some.invoke(bob, "release", "--yes").expect(0, "uploaded by another run")
        assert (tmp_path / "built").read_text() == built
        release = complete(some)
        assert {a["name"]: a["digest"] for a in draft["assets"]}.items() <= {
            a["name"]: a["digest"] for a in release["assets"]
        }.items()


def test_a_draft_that_was_published_by_hand_too_early_still_gets_its_branch(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        clone = some.clone("ada")
        draft = stopped(some, clone)
        by_hand(some, "PATCH", f"/releases/{draft['id']}", draft=False, tag_name=TAG, make_latest="false")
        refs = some.refs("app")
        assert refs["refs/heads/main"] != refs[f"refs/tags/{TAG}"], "the forge made the tag alone"
        some.invoke(clone, "release", "--yes").expect(0)
        after = some.refs("app")
        assert after["refs/heads/main"] == after[f"refs/tags/{TAG}"] == refs[f"refs/tags/{TAG}"]
        complete(some)


def test_a_draft_that_was_published_under_another_tag_is_a_clear_stop(tmp_path: Path) -> None:
    with fleet(tmp_path, {}) as some:
        clone = some.clone("ada")
        draft = stopped(some, clone)
        by_hand(some, "PATCH", f"/releases/{draft['id']}", draft=False, tag_name="v9.9.9", make_latest="false")
        (before,), refs = some.releases("app"), some.refs("app")
        some.invoke(clone, "release", "--yes").expect(
            3, r"the draft of v0\.1\.0 was published as v9\.9\.9", "give v0.1.0 up"
        )
        assert (some.releases("app"), some.refs("app")) == ([before], refs)
