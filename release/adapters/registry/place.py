"""Where the API of a registry is: at the host that its name is, or at another one that stands in for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from release.adapters.http import origin
from release.core.reference import DOCKER_HUB, host_of, is_loopback, registry
from release.errors import ConfigError

HUB = "registry-1.docker.io"  # where Docker Hub's images are


@dataclass(frozen=True)
class Place:
    """`registry` as references name it; `base` is the root of the API and ends with "/v2/"."""

    registry: str
    base: str

    @property
    def host(self) -> str:
        """The host that is really asked, with its port."""
        return urlsplit(self.base).netloc

    @property
    def account(self) -> str:
        """What logins for it are kept under: of the host that is asked, so that no other one gets them."""
        return registry(self.host) or self.host


def place(name: str, places: Mapping[str, str]) -> Place:
    """The place of a registry. This machine's registries speak plain HTTP, as Docker has it; no other may."""
    if name in places:
        return Place(name, f"{places[name].rstrip('/')}/v2/")
    host = HUB if name == DOCKER_HUB else name
    return Place(name, f"{'http' if is_loopback(host_of(host)) else 'https'}://{host}/v2/")


def checked(places: Mapping[str, str]) -> Mapping[str, str]:
    """Registries and the addresses that stand in for them, spelt as they are compared; ConfigError for what is none.

    An address is https, or http on this machine, without user and query.
    """
    found = {registry(name): url for name, url in places.items() if _safe(url)}
    if None in found or len(found) < len(places):
        wrong = next(name for name, url in places.items() if registry(name) is None or not _safe(url))
        why = f"{wrong[:200]!r} is no registry with an address that is safe to ask"
        raise ConfigError(why, "write the host of a registry, and https://HOST or http://127.0.0.1:PORT for it")
    return {name: url for name, url in found.items() if name is not None}


def _safe(url: str) -> bool:
    parts = urlsplit(url) if url.isprintable() and " " not in url and origin(url) else None
    if parts is None or parts.username is not None or parts.query or parts.fragment or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host_of(parts.netloc)))
