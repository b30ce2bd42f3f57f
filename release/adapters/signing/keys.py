"""Ed25519 signatures in DSSE envelopes: offline, and the same twice (RFC 8032 takes no random number)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from release.core.provenance import PAYLOAD
from release.errors import Refused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from securesystemslib.signer import SSlibKey


class Unusable(Refused):
    """There is no key that could sign."""


def signed(statement: bytes, pem: bytes) -> bytes:
    """An envelope around a Statement, on one line; Unusable where `pem` is no ed25519 key."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    envelope = Envelope(statement, PAYLOAD, {})
    envelope.sign(CryptoSigner(_private(pem)))
    return json.dumps(envelope.to_dict(), sort_keys=True, separators=(",", ":")).encode()


def verified(line: bytes, public: str) -> bytes | str:
    """The Statement of an envelope that the key signed, or words why it did not."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError

    if (key := known(public)) is None:
        return "the public key is no ed25519 key (PEM)"
    try:
        envelope = Envelope.from_dict(json.loads(line))
    except Exception:  # hostile bytes; the library has no one error for them
        return "it is no DSSE envelope"
    if envelope.payload_type != PAYLOAD:
        return "its payload is no in-toto Statement"
    try:
        envelope.verify([key], 1)
    except VerificationError:
        return "no signature in it is of the key that is in the repository"
    return envelope.payload


def known(public: str) -> SSlibKey | None:
    """A public ed25519 key (PEM), None where it is none."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        key = load_pem_public_key(public.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    return SSlibKey.from_crypto(key) if isinstance(key, Ed25519PublicKey) else None


def public_of(pem: bytes) -> SSlibKey:
    """The public half of a private key; Unusable where `pem` is no ed25519 key."""
    from securesystemslib.signer import SSlibKey

    return SSlibKey.from_crypto(_private(pem).public_key())


def _private(pem: bytes) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    remedy = "make one: openssl genpkey -algorithm ed25519 -out FILE, and name it in attest.key"
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:  # it wants a password
        raise Unusable("the signing key is encrypted, and nobody is there to type its password", remedy) from None
    except (ValueError, UnsupportedAlgorithm):  # its text may quote the key
        raise Unusable("the signing key is no private key in PEM", remedy) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Unusable("the signing key is not of ed25519", remedy)
    return key
