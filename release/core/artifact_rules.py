"""What a configuration must not say of files that are built, and of what is said of them: [[artifact]], [attest]."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from release.core import making
from release.core import reference as ref
from release.core.assembly import applies
from release.core.config import Artifact, Attest, Config
from release.core.finding import Conflict
from release.core.model import ArtifactWish
from release.core.notation import (
    OF_A_PLATFORM,
    VALUES,
    bad_lines,
    bad_path,
    bad_platforms,
    bad_run,
    filled,
    quoted,
    same_names,
    unknown_names,
)
from release.core.samples import samples

OURS = re.compile(r"release\.json|sha256sum.*\.txt")
"""What lies beside the artifacts of every release."""

KEYS = {
    "command": ("run", "path", "files", "artifacts"),
    "python": ("path", "files"),
    "archive": ("include", "artifacts", "folder"),
}
"""Which keys a kind of artifact has, besides those of all."""

ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")
DISTRIBUTIONS = (".whl", ".tar.gz")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+~-]{0,149}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def artifact_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps the files of a release from being built one by one, each under a name of its own."""
    found = [
        one for number, artifact in enumerate(config.artifact) for one in _artifact(f"artifact[{number}]", artifact)
    ]
    yield from found
    builds = [(wish.name, artifact) for artifact in config.artifact for wish in making.artifacts(artifact, {})]
    twice = tuple(same_names("artifact", builds))
    yield from twice
    yield from _attest(config.attest)
    if not found and not twice:
        yield from _together(config)


def is_file_name(template: str) -> bool:
    """Whether a template gives the name of a file and of an asset: one part, safe in a shell's and a URL's eyes."""
    text = filled(template)
    return bool(_FILE.fullmatch(text)) and ".." not in text


# One table.


def _artifact(place: str, artifact: Artifact) -> Iterator[Conflict]:
    known = (*VALUES, *OF_A_PLATFORM) if artifact.platforms else VALUES
    in_a_name = [name for name in known if name != "platform"]
    yield from _name(f"{place}.name", artifact.name, in_a_name)
    for text in artifact.files:
        yield from _name(f"{place}.files", text, in_a_name)
    yield from _reserved(place, artifact)
    yield from _keys(place, artifact)
    yield from OF_KIND[artifact.kind](place, artifact)
    yield from bad_lines(f"{place}.lines", artifact.lines)
    yield from bad_platforms(f"{place}.platforms", artifact.platforms)
    for key, paths in (("path", (artifact.path,)), ("include", artifact.include), ("folder", (artifact.folder,))):
        for path in filter(None, paths):
            yield from bad_path(f"{place}.{key}", path)
            yield from unknown_names(f"{place}.{key}", path, known)
    for text in artifact.artifacts:
        yield from unknown_names(f"{place}.artifacts", text, in_a_name)


def _name(place: str, text: str, known: Collection[str]) -> Iterator[Conflict]:
    if not is_file_name(text):
        why = f"{place} is {quoted(text)}"
        yield Conflict("bad-name", why, "use letters, digits and ._+~-, no / and no .., and do not begin with - or .")
    yield from unknown_names(place, text, known)


def _reserved(place: str, artifact: Artifact) -> Iterator[Conflict]:
    names = [name for wish in making.artifacts(artifact, {}) for name in wish.makes]
    if any(OURS.fullmatch(filled(name)) for name in names):
        key = f"{place}.files has" if artifact.files else f"{place}.name is"
        told = next(filter(lambda text: OURS.fullmatch(filled(text)), artifact.files), artifact.name)
        why = f"{key} {quoted(told)}, and a release has a file of its own that is named so"
        yield Conflict("reserved-name", why, "rename it: release.json and sha256sum*.txt come with every release")


def _keys(place: str, artifact: Artifact) -> Iterator[Conflict]:
    for key in dict.fromkeys(key for keys in KEYS.values() for key in keys):
        if getattr(artifact, key) and key not in KEYS[artifact.kind]:
            yield Conflict(
                "unused", f"{place}.{key} is of no use in an artifact of kind {artifact.kind}", "leave it out"
            )


def _command(place: str, artifact: Artifact) -> Iterator[Conflict]:
    yield from bad_run(f"{place}.run", artifact.run)
    if artifact.path and len(artifact.files) > 1:
        why = f"{place}.path is one file, and files names {len(artifact.files)}"
        yield Conflict("bad-path", why, "leave path out, and let the command put them all into $SLUICE_OUTPUT")


def _python(place: str, artifact: Artifact) -> Iterator[Conflict]:
    if not ref.is_package(filled(artifact.name)):
        why = f"{place}.name is {quoted(artifact.name)}, and an artifact of kind python is named as its project"
        yield Conflict("bad-name", why, "use letters and digits, between them . _ or -")
    for text in artifact.files:
        if not text.endswith(DISTRIBUTIONS):
            why = f"{place}.files has {quoted(text)}, which is neither a wheel nor an sdist"
            yield Conflict("bad-name", why, "name what the build backend makes: files that end in .whl or .tar.gz")


def _archive(place: str, artifact: Artifact) -> Iterator[Conflict]:
    if not artifact.name.endswith(ARCHIVES):
        why = f"{place}.name is {quoted(artifact.name)}, and an archive is known by the end of its name"
        yield Conflict("bad-name", why, f"let it end in one of {', '.join(ARCHIVES)}")
    if not artifact.include and not artifact.artifacts:
        why = f"{place} is an archive of nothing"
        yield Conflict(
            "empty-archive", why, "name paths of the commit in include, or files of other builds in artifacts"
        )


OF_KIND: dict[str, Callable[[str, Artifact], Iterator[Conflict]]] = {
    "command": _command,
    "python": _python,
    "archive": _archive,
}


# All of a release.


def _together(config: Config) -> Iterator[Conflict]:
    """What is wrong where several are built for one release: by the first release that might be and has something wrong."""
    lines = ("", *dict.fromkeys(line for artifact in config.artifact for line in artifact.lines))
    for sample in (one for line in lines for one in samples(config, (line,) if line else ())):
        chosen = [(n, one) for n, one in enumerate(config.artifact) if applies(one, sample.line, sample.kind)]
        wishes = [(f"artifact[{n}]", wish) for n, one in chosen for wish in making.artifacts(one, sample.values)]
        attest = making.attest(config.attest, {**sample.values, "project": config.project.name or "release"})
        ours = {name: key for key, name in (("sbom", attest.sbom), ("provenance", attest.provenance)) if name}
        if found := (*_same_files(wishes), *_taken(wishes, ours), *_parts(wishes)):
            yield from found
            return


def _same_files(wishes: Sequence[tuple[str, ArtifactWish]]) -> Iterator[Conflict]:
    seen: dict[str, str] = {}
    for place, wish in wishes:
        for name in wish.makes:
            if name in seen:
                who = f"{seen[name]} and {place} both make" if seen[name] != place else f"{place} makes twice"
                remedy = "rename one, or let no release select both; {os} and {arch} tell platforms apart"
                yield Conflict("duplicate-name", f"{who} a file as {quoted(name)}", remedy)
            seen.setdefault(name, place)


def _taken(wishes: Sequence[tuple[str, ArtifactWish]], ours: dict[str, str]) -> Iterator[Conflict]:
    for place, wish in wishes:
        for name in wish.makes:
            if name in ours:
                why = f"{place} makes {quoted(name)}, and attest.{ours[name]} is named so"
                yield Conflict("duplicate-name", why, "rename one")


def _parts(wishes: Sequence[tuple[str, ArtifactWish]]) -> Iterator[Conflict]:
    """What builds are made of: files that others make, and nothing that is made of itself."""
    makers = {name: wish for _, wish in wishes for name in wish.makes}
    for place, wish in wishes:
        for name in wish.artifacts:
            if name not in makers:
                why = f"{place}.artifacts has {quoted(name)}, which no [[artifact]] makes for such a release"
                yield Conflict(
                    "no-such-artifact", why, "name a file as it is built, with {os} and {arch} where it has them"
                )
    needed = {wish.name: [makers[name].name for name in wish.artifacts if name in makers] for _, wish in wishes}
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        ring = " -> ".join(reversed(error.args[1]))  # an arrow means "is made of"
        yield Conflict("cycle", f"artifacts are made of each other: {ring}", "break the cycle")


# What is said of them.


def _attest(attest: Attest) -> Iterator[Conflict]:
    for key, text in (("sbom", attest.sbom), ("provenance", attest.provenance)):
        if text:
            yield from _name(f"attest.{key}", text, ("project", *VALUES))
        if OURS.fullmatch(filled(text)):
            why = f"attest.{key} is {quoted(text)}, and a release has a file of its own that is named so"
            yield Conflict("reserved-name", why, "rename it: release.json and sha256sum*.txt come with every release")
    if attest.sbom and attest.sbom == attest.provenance:
        yield Conflict(
            "duplicate-name", f"attest.sbom and attest.provenance are both {quoted(attest.sbom)}", "rename one"
        )
    if attest.sign == "none":
        yield from _unsigned(attest)
        return
    if not attest.provenance:
        why = f'attest.sign is "{attest.sign}", and there is no provenance to sign'
        yield Conflict("nothing-to-sign", why, 'name it, as in provenance = "{project}-{version}.intoto.jsonl"')
    if attest.sign in ("key", "auto"):
        yield from _key(attest)
    if attest.sign in ("sigstore", "auto"):
        yield from _keyless(attest)


def _unsigned(attest: Attest) -> Iterator[Conflict]:
    for key in ("public", "identity", "issuer"):
        if getattr(attest, key):
            yield Conflict("unused", f'attest.{key} is of no use where attest.sign is "none"', "leave it out, or sign")


def _key(attest: Attest) -> Iterator[Conflict]:
    if "-----" in attest.key or "\n" in attest.key:
        why = "attest.key holds a key, for everybody to read"
        yield Conflict("secret-in-config", why, "take it out and make another one; name its file, or env:NAME")
    elif not attest.key or not attest.key.isprintable():
        why = f'attest.sign is "{attest.sign}", and attest.key names no key'
        yield Conflict("no-signing-key", why, 'name a file, or a variable as in "env:SLUICE_SIGNING_KEY"')
    elif attest.key.startswith("env:") and not _VARIABLE.fullmatch(attest.key.removeprefix("env:")):
        yield Conflict("bad-variable", f"attest.key is {quoted(attest.key)}", "write env: and a variable's name")
    if not attest.public:
        why = f'attest.sign is "{attest.sign}", and attest.public names no key that would verify it'
        yield Conflict("no-public-key", why, "commit the public key (PEM) and name its file")
    else:
        yield from bad_path("attest.public", attest.public)


def _keyless(attest: Attest) -> Iterator[Conflict]:
    """A keyless signature says who signed: without a name to compare it with, anybody's would do."""
    if not attest.identity or not attest.identity.isprintable():
        why = f'attest.sign is "{attest.sign}", and attest.identity does not say whose signature it has to be'
        remedy = "name it as the certificate has it, as in https://github.com/OWNER/REPO/.github/workflows/release.yml@refs/tags/{tag}"
        yield Conflict("no-identity", why, remedy)
    if not re.fullmatch(r"https://[!-~]{1,200}", attest.issuer):
        why = f"attest.issuer is {quoted(attest.issuer)}, and is to say who knows that identity"
        yield Conflict("no-issuer", why, "write its address, as in https://token.actions.githubusercontent.com")
    yield from unknown_names("attest.identity", attest.identity, ("project", *VALUES))
