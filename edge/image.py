"""A firmware image in MCUboot's format, checked before a node is sent one byte of it. A door to cryptography.

Header, program, protected TLVs, then the TLV area with the SHA-256 of all before it and the signature of that hash; little endian
(MCUboot, "Image format" and boot/bootutil/include/bootutil/image.h). imgtool makes such files.
"""

import hashlib
import struct
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from hoflicht.errors import BadConfig, BadPayload

MAX_IMAGE = 16 * 1024 * 1024  # bytes; no slot of a microcontroller is larger, and a wrong file is not read to its end
MAX_KEY = 4096  # bytes; a public key in PEM has 200
HEADER = struct.Struct("<IIHHIIBBHI4x")  # magic, address, sizes of header, protected TLVs and program, flags, version
MAGIC, TLV_MAGIC = 0x96F3B83D, 0x6907
HASH, ECDSA_SIGNATURE, ED25519_SIGNATURE = 0x10, 0x22, 0x24

Key = EllipticCurvePublicKey | Ed25519PublicKey


class Image(msgspec.Struct, frozen=True):
    """A whole image; `digest` is how a node calls it."""

    data: bytes
    digest: bytes
    version: str
    tlvs: dict[int, bytes]


def load(path: Path, key_path: Path) -> Image:
    """The image at `path`, whole and signed with the private half of the key at `key_path`; raise BadConfig for all else."""
    key = _public_key(key_path)
    try:
        image = parse(_read(path, MAX_IMAGE))
        _verify(image, key)
    except BadPayload as cause:
        raise BadConfig(f"{path}: {cause}") from cause
    return image


def parse(data: bytes) -> Image:
    """Raise BadPayload for what is no whole image, or whose hash is wrong."""
    if len(data) < HEADER.size or int.from_bytes(data[:4], "little") != MAGIC:
        raise BadPayload("no MCUboot image (a file for the node's first flashing, or not signed with imgtool?)")
    _, _, header, protected, program, _, major, minor, revision, build = HEADER.unpack_from(data)
    end = header + program + protected
    tlvs = _tlvs(data, end)
    digest = hashlib.sha256(data[:end]).digest()
    if tlvs.get(HASH) != digest:
        raise BadPayload("its SHA-256 is wrong or missing: the file is damaged, or encrypted")
    return Image(data, digest, f"{major}.{minor}.{revision}.{build}", tlvs)


def _tlvs(data: bytes, at: int) -> dict[int, bytes]:
    """Type, a byte of padding, length and value, after a magic number and the length of it all."""
    magic, length = struct.unpack_from("<HH", data, at) if at + 4 <= len(data) else (0, 0)
    if at + length > len(data):
        raise BadPayload(f"cut off: {len(data)} of {at + length} bytes")
    if magic != TLV_MAGIC:
        raise BadPayload("cut off, or not signed with imgtool: no TLV area where its header says")
    if at + length < len(data):
        raise BadPayload("bytes follow the image: made with imgtool --pad? A node takes the image without it")
    tlvs, end, at = dict[int, bytes](), at + length, at + 4
    while at + 4 <= end:
        kind, size = struct.unpack_from("<BxH", data, at)
        tlvs[kind] = data[at + 4 : min(at + 4 + size, end)]
        at += 4 + size
    return tlvs


def _verify(image: Image, key: Key) -> None:
    """Both kinds of signature are of the SHA-256 (MCUboot, boot/bootutil/src/image_ecdsa.c and image_ed25519.c)."""
    kind = ED25519_SIGNATURE if isinstance(key, Ed25519PublicKey) else ECDSA_SIGNATURE
    signature = image.tlvs.get(kind, b"")
    if not signature:
        raise BadPayload(f"no signature of the kind of this key ({'Ed25519' if kind == ED25519_SIGNATURE else 'ECDSA P-256'})")
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, image.digest)
        else:
            unpadded = signature[: 2 + signature[1]] if len(signature) > 1 else b""  # imgtool --pad-sig appends zeros
            key.verify(unpadded, image.digest, ECDSA(Prehashed(SHA256())))
    except InvalidSignature as cause:
        raise BadPayload("not signed with this key") from cause


def _public_key(path: Path) -> Key:
    try:
        key = load_pem_public_key(_read(path, MAX_KEY))
    except ValueError as cause:
        raise BadConfig(f"{path}: no public key in PEM; imgtool getpub --encoding pem writes one") from cause
    if isinstance(key, Ed25519PublicKey) or (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)):
        return key
    raise BadConfig(f"{path}: MCUboot images are checked with keys of Ed25519 or ECDSA P-256 only")


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as cause:
        raise BadConfig(f"{path}: cannot be read ({cause.strerror})") from cause
    if len(data) > most:
        raise BadConfig(f"{path}: more than {most} bytes")
    return data
