"""Until when a certificate is good: all that a running gateway asks of it, and no reason to load a library of 8 MB for.

A certificate is DER (X.690) in base64 (RFC 7468): items of a tag, a length and a content, which may be items again. Its first
content is what was signed, and the validity is the fifth in there, behind version, serial number, algorithm and issuer (RFC 5280
§4.1). One of X.509's first version, which nobody makes any more, names no version and is none to us.
"""

import ssl
from datetime import datetime
from pathlib import Path

from hoflicht.errors import BadPayload

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18  # tags


def ends(certificate: Path) -> datetime:
    """Until when the first certificate in that file is good; raise BadPayload where there is none."""
    try:
        text = certificate.read_text(encoding="utf-8", errors="replace")
        start = text.index(BEGIN)
        return _end_of(ssl.PEM_cert_to_DER_cert(text[start : text.index(END, start) + len(END)]))
    except (OSError, ValueError, IndexError) as cause:
        raise BadPayload(f"{certificate}: no certificate") from cause


def _end_of(der: bytes) -> datetime:
    _, at, _ = _item(der, 0)
    _, at, _ = _item(der, at)
    for _ in range(4):
        _, _, at = _item(der, at)
    _, at, _ = _item(der, at)
    _, _, at = _item(der, at)  # since when
    tag, start, end = _item(der, at)
    text = der[start:end].decode("ascii")
    if tag == UTC_TIME:  # its years have two digits, up to 2049
        text = ("19" if text >= "50" else "20") + text
    elif tag != GENERALIZED_TIME:
        raise ValueError("no time")
    return datetime.strptime(text, "%Y%m%d%H%M%S%z")


def _item(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start and end of content of the item at `at`."""
    tag, length, start = der[at], der[at + 1], at + 2
    if length & 0x80:  # that many bytes of length follow
        start += length & 0x7F
        length = int.from_bytes(der[at + 2 : start], "big")
    return tag, start, start + length
