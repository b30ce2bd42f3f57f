"""Where a forge lies: its API, its uploads, its pages, and which repository a git address means there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from release.adapters.http import origin
from release.errors import ConfigError

API = "https://api.github.com"
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*/(?!\.{1,2}$)[A-Za-z0-9_.-]+")
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[^/:@]+):(?P<path>.+)")


@dataclass(frozen=True)
class Places:
    """The addresses of one forge; none ends with a slash."""

    api: str
    server: str
    uploads: str

    @property
    def origins(self) -> frozenset[str]:
        """The only places that ever get a token."""
        return frozenset({origin(self.api), origin(self.uploads)})

    @property
    def limited(self) -> tuple[str, ...]:
        """How the addresses begin that the limits of the API count: git and pages on the same host have none."""
        if origin(self.api) == origin(self.server):
            return (f"{origin(self.api)}/api/",)
        return (f"{origin(self.api)}/", f"{origin(self.uploads)}/")

    @property
    def public(self) -> bool:
        """Whether it is github.com, and no Enterprise server."""
        return self.api == API

    def serves(self, url: str) -> bool:
        """Whether a git address lies on this forge's host; over HTTP on its port, too."""
        return bool(self._path(url))

    def repository(self, url: str) -> str:
        """`owner/name` of a git address on this forge, "" for one that lies elsewhere."""
        name = unquote(self._path(url)).strip("/").removesuffix(".git")
        return name if NAME.fullmatch(name) else ""

    def _path(self, url: str) -> str:
        """The path of an address on this host, else ""."""
        host = (urlsplit(self.server).hostname or "").lower()
        if "://" not in url:
            found = _SCP.fullmatch(url)
            return found["path"] if found and found["host"].lower() == host else ""
        parts = urlsplit(url)
        if parts.scheme in ("http", "https"):
            return parts.path if origin(url) == origin(self.server) else ""
        return parts.path if parts.scheme == "ssh" and (parts.hostname or "").lower() == host else ""


def places(environment: Mapping[str, str]) -> Places:
    """The forge that GITHUB_API_URL means, github.com without it; GITHUB_SERVER_URL where its pages are elsewhere."""
    api = _safe("GITHUB_API_URL", environment.get("GITHUB_API_URL", "").strip().rstrip("/") or API)
    base, host = origin(api), urlsplit(api).hostname or ""
    server, uploads = base, base
    if host.startswith("api."):  # github.com, and tenants of ghe.com
        server, uploads = base.replace("://api.", "://"), base.replace("://api.", "://uploads.")
    told = environment.get("GITHUB_SERVER_URL", "").strip().rstrip("/")
    return Places(api, _safe("GITHUB_SERVER_URL", told) if told else server, uploads)


def _safe(name: str, url: str) -> str:
    """An address that a token may be sent to: https, or this machine."""
    parts = urlsplit(url)
    try:
        here = ip_address(parts.hostname or "").is_loopback
    except ValueError:
        here = parts.hostname == "localhost" or (parts.hostname or "").endswith(".localhost")
    if not parts.hostname or parts.scheme not in ("http", "https") or not origin(url):
        raise ConfigError(f"{name} is not the address of a forge", "write it as https://HOST/api/v3")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(f"{name} holds more than an address", "put the token into SLUICE_GITHUB_TOKEN")
    if parts.scheme == "http" and not here:
        raise ConfigError(f"{name} is not https, so that everybody on the way could read the token", "write https://")
    return url
