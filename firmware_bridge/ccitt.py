"""The CRC of Lufft's UMB and of SML: CCITT's polynomial 1021, lowest bit first."""

import binascii

_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def crc16(data: bytes, start: int) -> int:
    """The register after `data`; `start` reads the same from both ends: FFFF for CRC-16/MCRF4XX and, inverted, for CRC-16/X-25; 0
    for CRC-16/KERMIT."""
    mirrored = binascii.crc_hqx(data.translate(_MIRRORED), start)  # this one knows the highest bit first only
    return int(f"{mirrored:016b}"[::-1], 2)
