"""Why there is no answer, in words."""

from __future__ import annotations


def reason(error: BaseException) -> str:
    """Why there is no answer, in words; addresses and headers that foreign texts may hold are left out."""
    texts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(texts) < 10:
        texts.append(f"{type(seen).__name__} {getattr(seen, 'strerror', None) or ''}")
        inner = getattr(seen, "reason", None) or next(
            (one for one in seen.args if isinstance(one, BaseException)), None
        )
        seen = inner if isinstance(inner, BaseException) else seen.__cause__ or seen.__context__
    whole = " ".join(texts)
    words = (
        (("NameResolutionError", "gaierror"), "there is no such host"),
        (("CertificateVerif", "SSLCertVerificationError"), "its certificate is not one to trust"),
        (("ProxyError",), "the proxy does not lead there"),
        (("SSLError",), "no safe connection could be made"),
        (("ConnectTimeout", "ReadTimeout", "timeout", "TimeoutError"), "it did not answer in time"),
        (("ConnectionRefusedError",), "nothing listens there"),
        (("IncompleteRead",), "it broke off"),
        (("ConnectionResetError", "BrokenPipeError", "RemoteDisconnected"), "the connection was reset"),
    )
    for names, meaning in words:
        if any(name in whole for name in names):
            return meaning
    said = next((one.partition(" ")[2] for one in reversed(texts) if one.partition(" ")[2]), "")
    return said or texts[-1].partition(" ")[0]
