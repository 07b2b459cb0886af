"""A private key (EC P-256, which every TLS library has and a small computer is quick with) and the file that holds it."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hoflicht import atomic
from hoflicht.config import secret
from hoflicht.errors import BadConfig


def new() -> ec.EllipticCurvePrivateKey:
    """A fresh key, nowhere but in memory."""
    return ec.generate_private_key(ec.SECP256R1())


def text(key: ec.EllipticCurvePrivateKey) -> bytes:
    """As a file has it (PEM), without a password: a role must start with nobody there to type one."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def read(path: Path, what: str) -> ec.EllipticCurvePrivateKey:
    """Read the key at `path`; raise BadConfig that names the file, also where everybody may read it."""
    return _parsed(secret(str(path), what), path, what)


def kept(path: Path, what: str) -> ec.EllipticCurvePrivateKey:
    """The key at `path`; where there is none a new one is made there, for its owner's eyes, on disk when this returns."""
    if not path.exists():
        atomic.write(path, text(new()), atomic.PRIVATE)
    try:
        return _parsed(path.read_text(encoding="ascii"), path, what)
    except (OSError, UnicodeDecodeError) as cause:
        raise BadConfig(f"{what}: {path} cannot be read ({getattr(cause, 'strerror', '') or 'it is no text'})") from None


def _parsed(pem: str, path: Path, what: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # not the cause: its text may quote what it read
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadConfig(f"{what}: {path} holds no EC key (P-256) in PEM without a password")
    return key
