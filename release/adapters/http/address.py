"""Addresses: where they lead, and how they may be shown."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

STANDARD = {"http": 80, "https": 443}  # ports


def origin(url: str) -> str:
    """Scheme, host and port of an address, "" if it is none: what is on another one is somebody else."""
    try:
        parts = urlsplit(url)
        port = parts.port or STANDARD.get(parts.scheme)
    except ValueError:
        return ""
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + ("" if STANDARD.get(parts.scheme) == port else f":{port}")


def joined(base: str, url: str) -> str:
    """An address that may be relative, "" if it is none."""
    try:
        return urljoin(base, url)
    except ValueError:
        return ""


def shown(url: str) -> str:
    """An address as people may see it: without user, query and fragment."""
    place = origin(url)
    path = urlsplit(url).path if place else "something that is no address"
    return "".join(c for c in place + path if c.isprintable())[:300]
