"""How a gateway asks for its certificate: the code it was given, the question, the answer. docs/wire.md shows them.

The code does two things. Its secret shows the authority that the gateway was invited, once. The fingerprint of the city's CA shows
the gateway that the authority is the right one, before it says the secret: nobody on the way can take the place of either.
"""

import binascii
import hashlib
import re
import ssl
from datetime import timedelta
from typing import TypeVar

import msgspec

from hoflicht.errors import BadPayload

CA, ENROLL, RENEW = "/ca.crt", "/enroll", "/renew"  # paths at the authority
MAX_BODY = 16 * 1024  # bytes of a question or an answer; with P-256 keys neither has 3 kB
SECRET_BYTES = 16  # 128 random bits: nobody guesses them, so a plain SHA-256 keeps them at rest
RENEWED_WITHIN = timedelta(days=365)  # of the end: whoever signs only now and then has a year to do it once
T = TypeVar("T")
CODE = re.compile(rf"([0-9a-f]{{{2 * SECRET_BYTES}}})\.([0-9a-f]{{64}})")


class Code(msgspec.Struct, frozen=True):
    """What the operator carries from the authority to the gateway."""

    secret: str
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.secret}.{self.fingerprint}"


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gateway with a code, and the signing request (PEM) of the key that it has made."""

    gateway: str
    secret: str
    request: str


class Renewal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gateway that the TLS connection knows by its certificate; the request is signed by the same key."""

    request: str


class Answer(msgspec.Struct, frozen=True):
    """The certificate, the CA that signed it (both PEM), and where the broker is."""

    gateway: str
    certificate: str
    ca: str
    host: str
    port: int


def decoded(content: bytes, shape: type[T], what: str) -> T:
    """Read JSON as `shape`, one of the above; raise BadPayload, which begins with `what`."""
    try:
        return msgspec.json.decode(content, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise BadPayload(f"{what}: {cause}") from cause


def code_of(text: str) -> Code:
    """Read a code as a person pastes it; raise BadPayload where it is none."""
    found = CODE.fullmatch("".join(text.split()).lower())
    if found is None:
        raise BadPayload("this is no code of an invitation: 32 hexadecimal digits, a dot, 64 more")
    return Code(found[1], found[2])


def fingerprint(certificate: str) -> str:
    """SHA-256 of a certificate (PEM), as `openssl x509 -fingerprint -sha256` shows it; raise BadPayload where it is none."""
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.strip())).hexdigest()
    except (ValueError, binascii.Error) as cause:
        raise BadPayload("no certificate in PEM") from cause
