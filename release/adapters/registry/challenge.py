"""What a registry asks for before it opens: Basic, or a Bearer token from the place that it names (its realm).

https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from release.adapters.http import origin
from release.core.reference import host_of, is_loopback

_SCHEME = re.compile(r"(?:^|,)\s*(bearer|basic)(?:\s+|$)", re.IGNORECASE)
_PARAMETER = re.compile(r'\s*([a-z_-]+)\s*=\s*(?:"([^"]*)"|([^\s",]*))\s*(?:,|$)', re.IGNORECASE)


@dataclass(frozen=True)
class Challenge:
    """One way in: `scheme` is "bearer" or "basic"; `realm` and `service` are a bearer's."""

    scheme: str
    realm: str = ""
    service: str = ""


def challenge(header: str) -> Challenge | None:
    """The way in that a `WWW-Authenticate` header offers, a token before a password; None for none that is known here."""
    found = {one[1].lower(): _parameters(header[one.end() :]) for one in _SCHEME.finditer(header)}
    if "bearer" in found:
        return Challenge("bearer", found["bearer"].get("realm", ""), found["bearer"].get("service", ""))
    return Challenge("basic") if "basic" in found else None


def token_url(asked: Challenge, scopes: Sequence[str]) -> str:
    """Where a token is to be had. The rights that are asked for are ours to say, not the registry's."""
    parts = urlsplit(asked.realm)
    query = [pair for pair in parse_qsl(parts.query) if pair[0] not in ("service", "scope")]
    query += [("service", asked.service)] if asked.service else []
    query += [("scope", scope) for scope in scopes]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))


def token_form(asked: Challenge, scopes: Sequence[str], identity: str) -> Mapping[str, str]:
    """What is posted to a realm for a token by an identity token (https://distribution.github.io/distribution/spec/auth/oauth/)."""
    return {
        "grant_type": "refresh_token",
        "service": asked.service,
        "client_id": "sluice",
        "scope": " ".join(scopes),
        "refresh_token": identity,
    }


def usable(realm: str, registry: str) -> bool:
    """Whether a token may be asked for at an address at all: https, or this machine for a registry on it; no user in it."""
    place = origin(realm)
    if not place or "@" in urlsplit(realm).netloc or not realm.isprintable() or " " in realm:
        return False
    here = is_loopback(_host(realm)) and is_loopback(host_of(registry))
    return place.startswith("https://") or (place.startswith("http://") and here)


def related(realm: str, registry: str) -> bool:
    """Whether the password for a registry may be sent to a realm: to its own host, and to others under the same parent.

    So does `registry-1.docker.io` send to `auth.docker.io`, and `registry.gitlab.com` to `gitlab.com`. A parent has two
    labels at least; which of those are public suffixes is not known here.
    """
    host, own = _host(realm), host_of(registry)
    if host == own:
        return True
    parent = own if own.count(".") == 1 else own.partition(".")[2]
    numeric = re.fullmatch(r"[0-9.]+|\[.*\]", own) is not None
    return not numeric and parent.count(".") >= 1 and (host == parent or host.endswith(f".{parent}"))


def _host(url: str) -> str:
    return host_of(origin(url).partition("://")[2])


def _parameters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while (seen := _PARAMETER.match(text, at)) is not None:
        found.setdefault(seen[1].lower(), seen[2] or seen[3] or "")
        at = seen.end()
    return found
