"""Keyless signatures: sigstore's public instance vouches for the OIDC identity of a run, and logs what it signed."""

from __future__ import annotations

from release.core.commits import plain
from release.errors import Refused, Uncertain, Unseen


def ambient() -> tuple[str, str]:
    """The OIDC token of this run, "" for none, and why there is none although there could be one.

    The variables are those of the service that runs us, and the library knows them.
    """
    from sigstore.oidc import IdentityError, detect_credential

    try:
        return detect_credential() or "", ""
    except IdentityError as error:
        return "", f"this run gets no OIDC identity: {plain(str(error), 200)}"
    except Exception as error:  # the library lets through what its HTTP client raises
        return "", f"this run gets no OIDC identity: {type(error).__name__}"


def signed(statement: bytes, token: str) -> bytes:
    """A sigstore bundle around a Statement, on one line. Refused or Uncertain where the services do not sign it."""
    from sigstore.dsse import Statement
    from sigstore.errors import Error
    from sigstore.models import ClientTrustConfig
    from sigstore.oidc import ExpiredIdentity, IdentityToken
    from sigstore.sign import SigningContext

    try:
        identity = IdentityToken(token)
        context = SigningContext.from_trust_config(ClientTrustConfig.production())
        with context.signer(identity) as signer:
            return signer.sign_dsse(Statement(statement)).to_json().encode()
    except ExpiredIdentity as error:
        raise Refused("the OIDC identity has expired", "run the same command again") from error
    except Error as error:
        raise Refused(f"sigstore does not sign: {plain(str(error), 200)}", "run the same command again") from error
    except Exception as error:  # what its HTTP clients raise: an entry in the log does no harm, and is made anew
        raise Uncertain(f"sigstore was not reached: {type(error).__name__}", "run the same command again") from error


def verified(line: bytes, identity: str, issuer: str) -> bytes | str:
    """The Statement of a bundle whose certificate is of that identity, or words why it is not. Unseen without the roots."""
    from sigstore.errors import Error, VerificationError
    from sigstore.models import Bundle
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity

    try:
        bundle = Bundle.from_json(line)
    except Exception:  # hostile bytes; the library has no one error for them
        return "it is no sigstore bundle"
    try:
        verifier = Verifier.production()
    except Exception as error:
        why = f"the roots of sigstore cannot be fetched: {type(error).__name__}"
        raise Unseen(why, "look whether this machine reaches tuf-repo-cdn.sigstore.dev") from error
    try:
        kind, content = verifier.verify_dsse(bundle, Identity(identity=identity, issuer=issuer))
    except (VerificationError, Error) as error:
        return f"its signature does not hold for {identity}: {plain(str(error), 200)}"
    return content if kind == "application/vnd.in-toto+json" else "its payload is no in-toto Statement"
