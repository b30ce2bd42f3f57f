"""Shards: what several machines make of one release, and what becomes of it where all of it comes together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from release.app import Session
from release.commands import build as building
from release.commands.build import Bench
from release.commands.plan import Prepared
from release.commands.subject import subject
from release.core.finding import Conflict, Done, Skipped
from release.core.images import annotations_of, noted_image, step_of
from release.core.made import ShardMade
from release.core.model import ImageWish, Release
from release.core.record import Record
from release.core.shards import Contents, Matrix, Shard, ShardFile, build_of, image_of, only, shards, unmatched
from release.errors import ConflictError, UsageError
from release.steps import build_path, image_path
from release.steps.build import noted_files, remember
from release.steps.supply import Artifact

Found = Mapping[str, tuple[Path, Contents]]


def matrix(session: Session, version: str) -> Matrix:
    """The pieces that a release can be made in."""
    return Matrix(shards(subject(session, version).release))


def prepared(session: Session, version: str, name: str) -> tuple[Shard, Bench]:
    """One piece of a release that has begun, to be made here."""
    about = subject(session, version)
    release, record = about.release, about.record
    known = {shard.name: shard for shard in shards(release)}
    if name not in known:
        raise UsageError(f"{name!r:.100} is no shard of {release.tag}", f"there are: {', '.join(known) or 'none'}")
    if not record.tip:
        why = f"{release.tag} has not begun, and machines share its commit by its record"
        raise ConflictError((Conflict("unmet-need", why, "begin it first: invoke release.begin"),))
    shard = known[name]
    about = replace(about, release=only(release, shard))
    return shard, building.looked(session, about, image_path if shard.kind == "image" else build_path)


def export(session: Session, shard: Shard, bench: Bench, folder: Path) -> Contents:
    """Lay what was made into a folder, for whoever brings the pieces together."""
    release, record = bench.subject.release, bench.notebook.record
    session.shards.fresh(folder, shard.name)
    about = Contents(release.tag, record.state.commit, shard.name)
    if shard.kind == "artifact":
        made = noted_files(record, build_of(release, shard).makes) or ()
        files = {one.name: place for one in made if (place := session.shelf.kept(one.sha256)) is not None}
        programs = {name for name, place in files.items() if session.shards.runs(place)}
        told = tuple(ShardFile(one.name, one.sha256, one.size, one.name in programs) for one in made)
        about = msgspec.structs.replace(about, files=told)
    else:
        wish, part = image_of(release, shard)
        image = noted_image(record, wish)
        assert image is not None, "it was built just now"
        files = {}
        session.images.export(image.platforms[0].digest, folder / session.shards.layout)
        inputs = session.images.fingerprints(paths(session, record, part.artifacts))
        about = msgspec.structs.replace(about, image=image.platforms[0], inputs=inputs)
    session.shards.write(folder, about, files)
    return about


def made(session: Session, shard: Shard, bench: Bench, folder: Path) -> ShardMade:
    """What became of a piece: its folder, if it could be made."""
    failed = building.unfinished(bench)
    if bench.conflicts or failed:
        return ShardMade(shard.name, "", conflicts=bench.conflicts, steps=failed)
    contents = export(session, shard, bench, folder)
    return ShardMade(shard.name, str(folder), contents.files, contents.image)


def take(session: Session, ready: Prepared, root: Path) -> tuple[Conflict, ...]:
    """Take in the shards that lie in a folder, as if they had been built here; or why they cannot be taken.

    What the release needs no more is not missed. Each file is compared with the digest that its shard says.
    """
    release = ready.release
    record = session.ledger.latest(release) if release is not None else None
    if release is None or record is None:
        why = "shards are of a release that has begun, and none has begun here"
        return (Conflict("unmet-need", why, "begin it first: invoke release.begin"),)
    found, commit = session.shards.found(root), record.state.commit
    left = [shard for shard in shards(release) if needed(ready, release, shard)]
    known = {name: contents for name, (_, contents) in found.items()}
    if conflicts := unmatched(left, release, known, commit):
        return conflicts
    here = [shard for shard in shards(release) if shard.name in found]
    conflicts = tuple(conflict for shard in here for conflict in taken(session, release, record, shard, found))
    return conflicts or tuple(gathered(session, release, record, here, found))


def needed(ready: Prepared, release: Release, shard: Shard) -> bool:
    """Whether a piece is still to be made."""
    name = f"build {shard.of}" if shard.kind == "artifact" else step_of(image_of(release, shard)[0])
    return any(step.name == name and not isinstance(ready.found[step], (Done, Skipped)) for step in ready.steps)


def taken(session: Session, release: Release, record: Record, shard: Shard, found: Found) -> Iterator[Conflict]:
    """Take the files of one build into the store."""
    if shard.kind != "artifact":
        return
    (folder, contents), wish = found[shard.name], build_of(release, shard)
    if tuple(one.name for one in contents.files) != wish.makes:
        why = f"the shard {shard.name} holds {', '.join(one.name for one in contents.files) or 'nothing'}, not {', '.join(wish.makes)}"
        yield Conflict("shard-differs", why, "build it again")
        return
    files = tuple(Artifact(one.name, *session.shelf.keep(folder / one.name)) for one in contents.files)
    told = tuple(Artifact(one.name, one.sha256, one.size) for one in contents.files)
    noted = noted_files(record, wish.makes)
    for who, said in (("says", told), ("has in the record", noted or files)):
        for file, wanted in zip(files, said, strict=True):
            if file != wanted:
                why = f"{file.name} of the shard {shard.name} has sha256 {file.sha256[:12]}, and it {who} {wanted.sha256[:12]}"
                yield Conflict("shard-differs", why, "fetch that shard again, or build it again")
    if files == told:
        remember(session.shelf, release, wish, record.state.commit, files)


def gathered(
    session: Session, release: Release, record: Record, here: Sequence[Shard], found: Found
) -> Iterator[Conflict]:
    """Make the index of each image whose platforms are all there."""
    for wish in release.images:
        parts = {shard.platform: found[shard.name] for shard in here if shard.of == f"{wish.name}:{wish.tag}"}
        if [*parts] != [*wish.platforms]:
            continue
        inputs = {name: print_ for _, contents in parts.values() for name, print_ in contents.inputs.items()}
        if conflicts := tuple(differing(session, release, record, wish, inputs, found)):
            yield from conflicts
            continue
        commit = record.state.commit
        annotations = annotations_of(release, wish, commit, session.source)
        layouts = {platform: folder / session.shards.layout for platform, (folder, _) in parts.items()}
        session.images.gather(wish, commit, release.epoch, annotations, dict(sorted(inputs.items())), layouts)


def differing(
    session: Session, release: Release, record: Record, wish: ImageWish, inputs: Mapping[str, str], found: Found
) -> Iterator[Conflict]:
    """Files that lie in an image, and are others than those that the release has."""
    names = [name for part in wish.parts for name in part.artifacts]
    files = {one.name: one for _, contents in found.values() for one in contents.files}
    there = paths(session, record, names) | {
        name: place for name in names if name in files and (place := session.shelf.kept(files[name].sha256)) is not None
    }
    for name, fingerprint in session.images.fingerprints(there).items():
        if inputs.get(name) != fingerprint:
            why = f"{name} in image {wish.name} is not the file of that name that was built for the release"
            yield Conflict("shard-differs", why, "make its build reproducible: two machines made different files")


def paths(session: Session, record: Record, names: Iterable[str]) -> dict[str, Path]:
    """Files in the store that a record knows, by name."""
    noted = {name: made[0] for name in names if (made := noted_files(record, (name,)))}
    return {name: place for name, one in noted.items() if (place := session.shelf.kept(one.sha256)) is not None}
