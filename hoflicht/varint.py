"""Whole numbers of seven bits a byte, the lowest first (LEB128): the variable byte integer of MQTT 5 §1.5.5."""

from hoflicht.errors import BadPayload


def written(number: int) -> bytes:
    """All bytes but the last have their highest bit set."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def read(data: bytes, at: int, most: int) -> tuple[int, int] | None:
    """The number at `at`, and where it ends; None where the rest of it is still to come. BadPayload: more than `most` bytes."""
    number = 0
    for n, byte in enumerate(data[at : at + most]):
        number |= (byte & 127) << 7 * n
        if byte < 128:
            return number, at + n + 1
    if len(data) - at >= most:
        raise BadPayload(f"a number of more than {most} bytes")
    return None
