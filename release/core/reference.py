"""Where an image and a package lie: registries, image names, tags, indexes and package names, each spelt in one way.

Image names and tags are as the OCI distribution spec has them ("Pulling manifests"); which part of a reference is its
registry, and what is left out for Docker Hub, is as Docker reads it. Package names are PEP 503's, indexes are "simple"
addresses of PEP 503 and PEP 691.
"""

from __future__ import annotations

import re

import msgspec

DOCKER_HUB = "docker.io"
LONGEST_REFERENCE = 255
"""Characters of a registry and a name together: what most clients take, by the distribution spec."""

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"({_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]{{2,45}}\])(?::([0-9]{{1,5}}))?")
_HUB_NAMES = (DOCKER_HUB, "index.docker.io", "registry-1.docker.io")
_LOOPBACK = re.compile(r"localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]")
_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_INDEX = re.compile(r"(https?)://([^/?#@\s]+)(/[A-Za-z0-9._~%+/-]*)?", re.IGNORECASE)


class Reference(msgspec.Struct, frozen=True):
    """An image by its tag: `registry` is a host with or without a port, `name` what the registry calls the repository."""

    registry: str
    name: str
    tag: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}:{self.tag}"


def reference(text: str) -> Reference | None:
    """Read `[HOST[:PORT]/]NAME:TAG`; None for anything else, a digest (`@sha256:...`) included.

    The first part is a host if it has "." or ":" in it or is `localhost`; without one it is Docker Hub's, where a name
    of one part is in `library`.
    """
    host, path = split_host(text)
    name, colon, tag = path.partition(":")
    place = registry(host or DOCKER_HUB)
    if not colon or place is None or not is_tag(tag) or not is_image(name):
        return None
    whole = in_registry(place, name)
    return Reference(place, whole, tag) if fits(place, whole) else None


def split_host(text: str) -> tuple[str, str]:
    """The registry that a reference begins with, "" if it names none, and the rest."""
    first, slash, rest = text.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return (first, rest) if named else ("", text)


def registry(text: str) -> str | None:
    """A registry as it is compared: lower case, one name for Docker Hub. None for what is no `HOST[:PORT]`.

    A host of one word needs a port, else a reference would read it as a part of the name.
    """
    host = text.lower()
    seen = _HOST.fullmatch(host)
    if not seen or len(host) > LONGEST_REFERENCE or int(seen[2] or 1) not in range(1, 65536):
        return None
    if not ("." in host or ":" in host or host == "localhost"):
        return None
    return DOCKER_HUB if host in _HUB_NAMES else host


def in_registry(registry: str, name: str) -> str:
    """A name as its registry has it: on Docker Hub a name of one part is in `library`."""
    return f"library/{name}" if registry == DOCKER_HUB and "/" not in name else name


def is_image(name: str) -> bool:
    """Whether a text is the name of an image, without registry and tag."""
    return len(name) <= LONGEST_REFERENCE and bool(_IMAGE.fullmatch(name))


def is_tag(tag: str) -> bool:
    """Whether registries take a text for a tag."""
    return bool(_TAG.fullmatch(tag))


def fits(registry: str, name: str) -> bool:
    """Whether a registry and a name are short enough together."""
    return len(registry) + 1 + len(name) <= LONGEST_REFERENCE


def is_package(name: str) -> bool:
    """Whether a text is the name of a Python package (the core metadata's `Name`)."""
    return bool(_PACKAGE.fullmatch(name))


def package(name: str) -> str:
    """A package's name as it is compared (PEP 503). Said here, as importing `packaging.utils` takes every command 13 ms."""
    return re.sub(r"[-_.]+", "-", name).lower()


def index(text: str) -> str | None:
    """An index's address as it is compared: without "/" at the end, host in lower case, no port that goes without saying.

    None for what is none, or not safe to ask: https, or http on this machine.
    """
    seen = _INDEX.fullmatch(text)
    if not seen:
        return None
    scheme, authority, path = seen[1].lower(), seen[2].lower(), (seen[3] or "").rstrip("/")
    host = _HOST.fullmatch(authority)
    if not host or int(host[2] or 1) not in range(1, 65536) or (scheme == "http" and not is_loopback(host[1])):
        return None
    port = "" if host[2] in (None, {"http": "80", "https": "443"}[scheme]) else f":{int(host[2])}"
    return f"{scheme}://{host[1]}{port}{path}"


def is_loopback(host: str) -> bool:
    """Whether a host (without a port) is this machine by its name."""
    return bool(_LOOPBACK.fullmatch(host))


def host_of(registry: str) -> str:
    """A registry without its port."""
    seen = _HOST.fullmatch(registry)
    return seen[1] if seen else registry
