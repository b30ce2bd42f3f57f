"""Provenance: an in-toto Statement with SLSA's predicate says how the files and images of a release were made.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md and https://slsa.dev/spec/v1.0/provenance. What is
said is written in one way only, so that the same release on the same machine gives the same bytes.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from release.core.commits import plain
from release.core.model import BuiltImage, Release

PAYLOAD = "application/vnd.in-toto+json"
"""The payload type of an in-toto Statement in a DSSE envelope."""
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://pypi.org/project/sluice-release/#build-v1"
"""How to read our parameters: docs/artifacts.md says it."""
SOMEBODY = "https://pypi.org/project/sluice-release/#a-machine-of-a-person"
"""Who builds where no service does: nobody vouches for what else runs there."""
SHOWN = 3

_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9._-]+:(?!/)[^\s]+")


class Making(msgspec.Struct, frozen=True):
    """By whom a release was made: `builder` is a URI of who vouches for it, `invocation` one of the run, "" for none.

    `source` is the upstream's address.
    """

    source: str
    builder: str = SOMEBODY
    invocation: str = ""


def statement(
    release: Release, commit: str, files: Iterable[tuple[str, str]], images: Mapping[str, BuiltImage], making: Making
) -> bytes:
    """The Statement about files (name, SHA-256 in hex) and images (by "name:tag")."""
    source = git_uri(making.source)
    run: dict[str, Any] = {"builder": {"id": making.builder}}
    if making.invocation:
        run["metadata"] = {"invocationId": making.invocation}
    document = {
        "_type": STATEMENT,
        "subject": [
            {"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subjects(files, images).items())
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": parameters(release, source),
                "internalParameters": {"SOURCE_DATE_EPOCH": release.epoch},
                "resolvedDependencies": [
                    {"uri": f"{source}@refs/tags/{release.tag}", "digest": {"gitCommit": commit}},
                ],
            },
            "runDetails": run,
        },
    }
    return msgspec.json.encode(document, order="sorted")


def subjects(files: Iterable[tuple[str, str]], images: Mapping[str, BuiltImage]) -> dict[str, str]:
    """SHA-256 by name: a file by its own, an image index by `oci:NAME:TAG`, its image for a platform by `oci:NAME:TAG#os/arch`."""
    found = dict(files)
    for name, image in images.items():
        found[f"oci:{name}"] = _hex(image.digest)
        found |= {f"oci:{name}#{one.platform}": _hex(one.digest) for one in image.platforms}
    return found


def parameters(release: Release, source: str) -> dict[str, Any]:
    """What shaped the build: the version, and the wishes of the configuration, without what they leave out."""
    wishes = {"artifacts": release.artifacts, "images": release.images}
    return {
        "repository": source,
        "tag": release.tag,
        "version": release.version,
        **{name: [_said(msgspec.to_builtins(one)) for one in some] for name, some in wishes.items() if some},
    }


def git_uri(address: str) -> str:
    """A repository's address as SPDX and SLSA write it: `git+https://...`, `git+ssh://...`, `git+file:///...`."""
    if "://" in address:
        return f"git+{address}"
    if _SCP.fullmatch(address):
        host, _, path = address.partition(":")
        return f"git+ssh://{host}/{path}"
    return f"git+file://{address}"


# Reading.


class _Envelope(msgspec.Struct, frozen=True):
    payload: str
    payloadType: str


class _Bundle(msgspec.Struct, frozen=True):
    dsseEnvelope: _Envelope


class _Subject(msgspec.Struct, frozen=True):
    name: str
    digest: Mapping[str, str]


class _Dependency(msgspec.Struct, frozen=True):
    uri: str = ""
    digest: Mapping[str, str] = {}


class _Definition(msgspec.Struct, frozen=True):
    buildType: str
    externalParameters: Mapping[str, Any]
    resolvedDependencies: tuple[_Dependency, ...] = ()


class _Predicate(msgspec.Struct, frozen=True):
    buildDefinition: _Definition


class _Statement(msgspec.Struct, frozen=True):
    type: str = msgspec.field(name="_type")
    subject: tuple[_Subject, ...]
    predicateType: str
    predicate: _Predicate


def payload(line: bytes) -> bytes:
    """The Statement of a line: it is bare, in a DSSE envelope, or in the envelope of a sigstore bundle. ValueError if in none.

    Whether a signature holds is another question.
    """
    found: Any = msgspec.json.decode(line)
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    if "_type" in found:
        return line.strip()
    envelope = (
        msgspec.convert(found, _Bundle).dsseEnvelope if "dsseEnvelope" in found else msgspec.convert(found, _Envelope)
    )
    if envelope.payloadType != PAYLOAD:
        raise ValueError(f"its payload is {plain(envelope.payloadType, 80)}, not {PAYLOAD}")
    return b64decode(envelope.payload, validate=True)


def claims_of(line: bytes) -> Mapping[str, str]:
    """What a line of a `*.intoto.jsonl` is about: SHA-256 (hex) by the subject's name. ValueError if it is no Statement."""
    return {one.name: one.digest.get("sha256", "") for one in _read(payload(line)).subject}


def wrong_provenance(line: bytes, release: Release, commit: str, out: Mapping[str, str]) -> str:
    """What a provenance says wrongly of a release, "" for nothing. `out` is SHA-256 (hex) by subject, as all is published.

    `out` is without the provenance itself, and without what follows from the files: sums and manifest.
    """
    try:
        said = _read(payload(line))
    except (ValueError, msgspec.ValidationError) as error:
        return f"it is no provenance: {plain(str(error), 200)}"
    definition = said.predicate.buildDefinition
    if (said.type, said.predicateType, definition.buildType) != (STATEMENT, PREDICATE, BUILD_TYPE):
        return f"it is a {plain(said.predicateType, 80)} of {plain(definition.buildType, 80)}, not a provenance of ours"
    commits = [one.digest.get("gitCommit", "") for one in definition.resolvedDependencies]
    told = [definition.externalParameters.get(name) for name in ("tag", "version")]
    if commits != [commit]:
        return f"it says that it was built from {', '.join(plain(one, 80)[:10] for one in commits) or 'nothing'}, not from {commit[:10]}"
    if told != [release.tag, release.version]:
        return f"it is of {plain(str(told[0]), 80)}, not of {release.tag}"
    names = [one.name for one in said.subject]
    if len(names) != len(set(names)):
        return "it names a subject twice"
    return differing({one.name: one.digest.get("sha256", "") for one in said.subject}, out)


def differing(said: Mapping[str, str], out: Mapping[str, str]) -> str:
    """How what is said differs from what is out, "" if it does not: SHA-256 by name."""
    missing, more = sorted(set(out) - set(said)), sorted(set(said) - set(out))
    wrong = sorted(name for name in set(out) & set(said) if out[name] != said[name])
    kinds = (("lacks", missing), ("names what is not out:", more), ("has another digest of", wrong))
    return "; ".join(f"it {what} {_named(names)}" for what, names in kinds if names)


def _read(content: bytes) -> _Statement:
    return msgspec.json.decode(content, type=_Statement)


def _said(value: Any) -> Any:
    """A wish without the fields that are empty."""
    if isinstance(value, dict):
        return {key: _said(one) for key, one in value.items() if one not in ("", (), [], {})}
    return [_said(one) for one in value] if isinstance(value, (list, tuple)) else value


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(plain(name, 100) for name in names[:SHOWN]) + more
