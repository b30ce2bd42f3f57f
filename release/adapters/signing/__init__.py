"""Signs what a release says of itself, and sees whether a signature holds: with a key, or with the identity of the run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from release.adapters.signing import keys
from release.core.commits import plain
from release.core.finding import Conflict
from release.core.model import AttestWish
from release.core.provenance import payload
from release.errors import Refused
from release.redact import Redactor

Way = Literal["none", "key", "sigstore"]


class Signatures:
    """`environment` may hold a key under the name that `env:NAME` gives; a key's file is relative to `root`."""

    def __init__(self, environment: Mapping[str, str], root: Path, hide: Redactor) -> None:
        self._environment, self._root, self._hide = environment, root, hide

    def lacking(self, wish: AttestWish, public: str) -> tuple[Conflict, ...]:
        """Why nothing could be signed as it is asked for; `public` is the key (PEM) that is to verify it, "" for none."""
        way, why = self._way(wish)
        if why:
            return (Conflict("signing-identity-missing", why, IDENTITY_REMEDY),)
        return self._key_lacks(wish, public) if way == "key" else ()

    def signed(self, wish: AttestWish, statement: bytes) -> bytes:
        """One line of a `*.intoto.jsonl`: a DSSE envelope, a sigstore bundle, or the bare Statement where nothing signs.

        Refused where there is no key or identity, or a service of sigstore does not sign.
        """
        way, why = self._way(wish)
        if why:
            raise Refused(why, IDENTITY_REMEDY)
        if way == "none":
            return statement + b"\n"
        if way == "key":
            return keys.signed(statement, self._pem(wish)) + b"\n"
        from release.adapters.signing import keyless

        return keyless.signed(statement, self._token()) + b"\n"

    def verified(self, wish: AttestWish, line: bytes, public: str) -> bytes | str:
        """The Statement of a line whose signature holds, or words why it does not. `public` is the key (PEM), "" for none.

        With a key it is asked of nobody; a keyless one is compared with the roots of sigstore's public instance, which are
        fetched. Without a signature in the wish none is looked for.
        """
        if wish.sign == "none":
            return _bare(line)
        keyless_line = b'"verificationMaterial"' in line
        if keyless_line and wish.sign in ("sigstore", "auto"):
            from release.adapters.signing import keyless

            return keyless.verified(line, wish.identity, wish.issuer)
        if wish.sign == "sigstore":
            return "it is no sigstore bundle"
        if keyless_line:
            return "it is signed without the key"
        return keys.verified(line, public) if public else "the public key that would verify it is not in the repository"

    def _way(self, wish: AttestWish) -> tuple[Way, str]:
        """How it is signed, and why it cannot be: that is only known of an identity."""
        if wish.sign in ("none", "key"):
            return "key" if wish.sign == "key" else "none", ""
        from release.adapters.signing import keyless

        token, why = keyless.ambient()
        if token:
            self._hide.learn(token)
            return "sigstore", ""
        if wish.sign == "auto":
            return "key", ""
        return "sigstore", why or "attest.sign is sigstore, and this run has no OIDC identity"

    def _token(self) -> str:
        from release.adapters.signing import keyless

        token, why = keyless.ambient()
        if not token:
            raise Refused(why or "the run has no OIDC identity any more", IDENTITY_REMEDY)
        self._hide.learn(token)
        return token

    def _key_lacks(self, wish: AttestWish, public: str) -> tuple[Conflict, ...]:
        try:
            ours = keys.public_of(self._pem(wish))
        except keys.Unusable as error:
            return (Conflict("signing-key-missing", error.message, error.remedy),)
        theirs = keys.known(public) if public else None
        if wish.public and theirs != ours:
            lacks = "holds no ed25519 key (PEM)" if theirs is None else "is not the public half of the signing key"
            why = f"{wish.public} {lacks}, so that nobody could verify the provenance"
            return (
                Conflict("signing-key-differs", why, f"commit the one that belongs to {wish.key}, or mend attest.key"),
            )
        return ()

    def _pem(self, wish: AttestWish) -> bytes:
        """The private key, which is hidden from now on; Unusable where there is none."""
        pem = self._kept(wish.key)
        self._hide.learn(pem.decode("utf-8", "replace"))
        return pem

    def _kept(self, key: str) -> bytes:
        name = key.removeprefix("env:")
        value = self._environment.get(name, "") if key.startswith("env:") else key
        if "-----BEGIN" in value:
            return value.encode()
        if not value:
            raise keys.Unusable(
                f"the variable {name} has no signing key", f"put the key (PEM) or its file's path into {name}"
            )
        place = self._root / value
        try:
            return place.read_bytes()
        except OSError as error:
            where = f"the file that {name} names" if key.startswith("env:") else str(place)
            raise keys.Unusable(f"no signing key can be read from {where}: {error.strerror}", KEY_REMEDY) from error


KEY_REMEDY = "make one: openssl genpkey -algorithm ed25519 -out FILE, and name it in attest.key"
IDENTITY_REMEDY = "give the job `permissions: id-token: write`, or sign with a key"


def _bare(line: bytes) -> bytes | str:
    try:
        return payload(line)
    except ValueError as error:
        return f"it is no Statement: {plain(str(error), 200)}"
