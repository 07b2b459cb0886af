"""Firmware images: what is not whole, or not signed with the key, is not sent."""

import struct
from pathlib import Path

import hypothesis
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from edge.image import MAX_IMAGE, load, parse
from hoflicht.errors import BadConfig, BadPayload
from tests.signed import PrivateKey, ecdsa, ed25519, signed, tlv, write_public

PROGRAM = bytes(range(256)) * 4
KEYS = {"Ed25519": ed25519, "ECDSA": ecdsa}
AREA = 512 + len(PROGRAM)  # where the TLV area begins: its head, then the hash
SIGNATURE = AREA + 4 + 36
GOOD_KEY = ed25519()
GOOD = signed(PROGRAM, GOOD_KEY, (1, 2, 3, 4))


@pytest.fixture(params=KEYS)
def key(request: pytest.FixtureRequest) -> PrivateKey:
    return KEYS[request.param]()


def loaded(folder: Path, image: bytes, key: PrivateKey) -> str:
    """The version of the image, or why it is refused."""
    (folder / "image.bin").write_bytes(image)
    try:
        return load(folder / "image.bin", write_public(key, folder / "public.pem")).version
    except BadConfig as cause:
        return str(cause).removeprefix(f"{folder}/image.bin: ")


def test_an_image_signed_with_the_key_is_taken(tmp_path: Path, key: PrivateKey) -> None:
    assert loaded(tmp_path, signed(PROGRAM, key, (1, 2, 300, 70_000)), key) == "1.2.300.70000"


def test_protected_tlvs_are_signed_too(tmp_path: Path, key: PrivateKey) -> None:
    image = signed(PROGRAM, key, protected=tlv(0x50, b"\1\0\0\0"))
    assert loaded(tmp_path, image, key) == "1.0.0.0"

    forged = image.replace(tlv(0x50, b"\1\0\0\0"), tlv(0x50, b"\2\0\0\0"))
    assert loaded(tmp_path, forged, key) == "its SHA-256 is wrong or missing: the file is damaged, or encrypted"


def test_an_image_of_another_key_is_refused(tmp_path: Path) -> None:
    for kind in KEYS.values():
        assert loaded(tmp_path, signed(PROGRAM, kind()), kind()) == "not signed with this key"


def test_an_unsigned_image_is_refused(tmp_path: Path, key: PrivateKey) -> None:
    assert loaded(tmp_path, signed(PROGRAM, None), key).startswith("no signature of the kind of this key")


def test_the_signature_of_another_kind_of_key_does_not_count(tmp_path: Path) -> None:
    assert loaded(tmp_path, signed(PROGRAM, ecdsa()), ed25519()) == "no signature of the kind of this key (Ed25519)"
    assert loaded(tmp_path, signed(PROGRAM, ed25519()), ecdsa()) == "no signature of the kind of this key (ECDSA P-256)"


def test_a_padded_ecdsa_signature_is_a_signature(tmp_path: Path) -> None:
    key = ecdsa()
    image = signed(PROGRAM, key)
    hashed, signature = image[AREA + 4 : SIGNATURE], image[SIGNATURE + 4 :]
    tlvs = hashed + tlv(0x22, signature + b"\0\0")
    padded = image[:AREA] + struct.pack("<HH", 0x6907, 4 + len(tlvs)) + tlvs

    assert loaded(tmp_path, padded, key) == "1.0.0.0"


def test_an_image_made_with_pad_is_refused(tmp_path: Path, key: PrivateKey) -> None:
    assert loaded(tmp_path, signed(PROGRAM, key) + b"\xff" * 64, key).startswith("bytes follow the image: made with imgtool --pad?")


@pytest.mark.parametrize("length", [0, 3, 31, 32, 511, 600, len(GOOD) - 100, len(GOOD) - 1])
def test_a_truncated_image_is_refused(length: int) -> None:
    with pytest.raises(BadPayload, match=r"cut off|no MCUboot image"):
        parse(GOOD[:length])


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_one_wrong_byte_is_found(tmp_path_factory: pytest.TempPathFactory, at: int, flip: int) -> None:
    hypothesis.assume(at not in (AREA + 5, SIGNATURE + 1))  # the padding in a TLV's head means nothing
    image = bytearray(GOOD)
    image[at] ^= flip

    assert loaded(tmp_path_factory.mktemp("image"), bytes(image), GOOD_KEY) != "1.2.3.4"


@given(st.binary(max_size=200))
def test_what_follows_a_header_raises_nothing_else(rest: bytes) -> None:
    with pytest.raises(BadPayload):
        parse(GOOD[:4] + rest)


def test_what_is_no_public_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "image.bin").write_bytes(GOOD)
    secret = ed25519().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for text in (b"", b"no key", secret):
        (tmp_path / "key.pem").write_bytes(text)
        with pytest.raises(BadConfig, match="no public key in PEM"):
            load(tmp_path / "image.bin", tmp_path / "key.pem")


def test_a_curve_that_mcuboot_does_not_know_is_said(tmp_path: Path) -> None:
    (tmp_path / "image.bin").write_bytes(GOOD)
    with pytest.raises(BadConfig, match="Ed25519 or ECDSA P-256 only"):
        load(tmp_path / "image.bin", write_public(generate_private_key(SECP384R1()), tmp_path / "key.pem"))


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "image.bin").open("wb") as file:
        file.truncate(MAX_IMAGE + 1)
    with pytest.raises(BadConfig, match="more than 16777216 bytes"):
        load(tmp_path / "image.bin", write_public(ed25519(), tmp_path / "key.pem"))
