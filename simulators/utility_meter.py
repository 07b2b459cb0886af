"""The electricity meter of the network operator: it pushes an SML transmission every second, and hears nothing.

Format and sources as in firmware_bridge.sml; written apart from it.
"""

from collections.abc import Callable, Mapping

from firmware_bridge.ccitt import crc16

ESCAPE = b"\x1b\x1b\x1b\x1b"
METER = b"\x0a\x01HOF\x00\x00\x01\x02\x03"  # made up: sector electricity, a maker of three letters, a number
# OBIS name, DLMS unit, power of ten: as the meters of the dumps in devZer0/libsml-testing send them.
VALUES: Mapping[str, tuple[tuple[int, int, int], int, int]] = {
    "energy_import": ((1, 8, 0), 30, -1),
    "energy_export": ((2, 8, 0), 30, -1),
    "active_power": ((16, 7, 0), 27, -1),
    "active_power_l1": ((36, 7, 0), 27, -1),
    "active_power_l2": ((56, 7, 0), 27, -1),
    "active_power_l3": ((76, 7, 0), 27, -1),
    "voltage_l1": ((32, 7, 0), 35, -1),
    "voltage_l2": ((52, 7, 0), 35, -1),
    "voltage_l3": ((72, 7, 0), 35, -1),
    "current_l1": ((31, 7, 0), 33, -2),
    "current_l2": ((51, 7, 0), 33, -2),
    "current_l3": ((71, 7, 0), 33, -2),
    "frequency": ((14, 7, 0), 44, -1),
}
WITHOUT_PIN = ("energy_import", "energy_export")


class UtilityMeter:
    """A meter; `measure` gives the values by name, energy in kWh. Before its PIN is typed in it says whole kWh and no more."""

    EVERY_MS = 1_000

    def __init__(self, measure: Callable[[int], Mapping[str, float]], *, has_pin: bool = True) -> None:
        self._measure = measure
        self._has_pin = has_pin
        self.start()

    def start(self) -> None:
        self._next_ms = 0
        self._count = 0

    def said(self, now_ms: int) -> bytes:
        if now_ms < self._next_ms:
            return b""
        self._next_ms = now_ms - now_ms % self.EVERY_MS + self.EVERY_MS  # a pause is not made up for
        self._count += 1
        values = self._measure(now_ms)
        if not self._has_pin:
            values = {name: float(int(values[name])) for name in WITHOUT_PIN if name in values}
        return sml(values, self._count)

    def heard(self, data: bytes) -> bytes:
        return b""


def sml(values: Mapping[str, float], count: int = 1) -> bytes:
    """The transmission that says `values`; `count` is its number."""
    entries = [_entry(name, value) for name, value in values.items()]
    opened = _listed(_octets(b""), _octets(b""), _octets(count.to_bytes(4, "big")), _octets(METER), _octets(b""), _octets(b""))
    told = (_octets(b""), _octets(METER), _octets(b""), _time(count), _listed(*entries), _octets(b""), _octets(b""))
    messages = ((0x0101, opened), (0x0701, _listed(*told)), (0x0201, _listed(_octets(b""))))
    return transmission(b"".join(_message(3 * count + n, *message) for n, message in enumerate(messages)))


def transmission(messages: bytes) -> bytes:
    """`messages` between start and end, escaped and padded."""
    escaped = messages.replace(ESCAPE, 2 * ESCAPE)
    padding = -len(escaped) % 4
    sent = ESCAPE + b"\x01\x01\x01\x01" + escaped + bytes(padding) + ESCAPE + bytes((0x1A, padding))
    return sent + (crc16(sent, 0xFFFF) ^ 0xFFFF).to_bytes(2, "little")


def _message(number: int, kind: int, content: bytes) -> bytes:
    body = _listed(_unsigned(kind, 4), content)
    sealed = _octets(number.to_bytes(4, "big")) + _unsigned(0) + _unsigned(0) + body
    crc = crc16(b"\x76" + sealed, 0xFFFF) ^ 0xFFFF
    return b"\x76" + sealed + b"\x63" + crc.to_bytes(2, "little") + b"\x00"


def _entry(name: str, value: float) -> bytes:
    obis, unit, power = VALUES[name]
    is_energy = unit == 30
    number = round(value * 10 ** (-power + 3 * is_energy))
    said = _unsigned(number, 8) if is_energy else _signed(number)
    named = _octets(bytes((1, 0, *obis, 255)))
    return _listed(named, _octets(b""), _octets(b""), _unsigned(unit), _signed(power), said, _octets(b""))


def _time(seconds: int) -> bytes:
    return _listed(_unsigned(1), _unsigned(seconds, 4))


def _listed(*items: bytes) -> bytes:
    return _head(0x70, len(items)) + b"".join(items)


def _octets(data: bytes) -> bytes:
    length = len(data) + 1
    return _head(0x00, length if length < 16 else length + 1) + data


def _unsigned(number: int, width: int = 0) -> bytes:
    data = number.to_bytes(width or max(1, (number.bit_length() + 7) // 8), "big")
    return _head(0x60, len(data) + 1) + data


def _signed(number: int) -> bytes:
    width = next(width for width in range(1, 9) if -(1 << 8 * width - 1) <= number < 1 << 8 * width - 1)
    return _head(0x50, width + 1) + number.to_bytes(width, "big", signed=True)


def _head(kind: int, length: int) -> bytes:
    """One byte, or two for more than 15."""
    return bytes((kind | length,)) if length < 16 else bytes((0x80 | kind | length >> 4, length & 0x0F))
