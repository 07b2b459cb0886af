"""Firmware images as imgtool signs them, written by hand, and a board at a pty that takes them."""

import hashlib
import select
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from simulators.mcumgr import Board
from simulators.wire import Wire
from tests.meanwhile import meanwhile

HEADER = bytes(480)  # imgtool --header-size 0x200: the rest of it is padding

Version = tuple[int, int, int, int]
PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


def ed25519() -> PrivateKey:
    return Ed25519PrivateKey.generate()


def ecdsa() -> PrivateKey:
    return generate_private_key(SECP256R1())


def signed(program: bytes, key: PrivateKey | None, version: Version = (1, 0, 0, 0), protected: bytes = b"") -> bytes:
    """An image; `protected` are TLVs that the hash covers."""
    if protected:
        protected = struct.pack("<HH", 0x6908, 4 + len(protected)) + protected
    head = struct.pack("<IIHHIIBBHII", 0x96F3B83D, 0, 32 + len(HEADER), len(protected), len(program), 0, *version, 0)
    covered = head + HEADER + program + protected
    digest = hashlib.sha256(covered).digest()
    tlvs = tlv(0x10, digest)
    if isinstance(key, Ed25519PrivateKey):
        tlvs += tlv(0x24, key.sign(digest))
    elif key is not None:
        tlvs += tlv(0x22, key.sign(digest, ECDSA(Prehashed(SHA256()))))
    return covered + struct.pack("<HH", 0x6907, 4 + len(tlvs)) + tlvs


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("<HH", kind, len(value)) + value


def write_public(key: PrivateKey, path: Path) -> Path:
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


@contextmanager
def serving(link: Path, board: Board, between: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Run the board at a pty behind `link`; `between` is called some hundred times a second."""
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            between()
            wire.write(board.said(time.monotonic_ns() // 1_000_000))
            select.select([wire.fileno()], [], [], 0.002)
            board.heard(wire.read())

    with Wire(link) as wire, meanwhile(work, ended):
        yield
