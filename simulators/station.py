"""A Lufft weather station at the other end of UMB binary: asked for channels, it answers with single floats.

Format and sources as in firmware_bridge.umb; written apart from it.
"""

import struct
from collections.abc import Callable, Mapping, Sequence

from firmware_bridge.ccitt import crc16

MAX_HEARD = 512  # bytes that are no request; a master that sends noise for hours must not fill our memory

# What a station with all senses measures: the channel of each value, and by how much a channel's unit is larger.
WS10 = {
    100: ("temperature", 1),
    200: ("humidity", 1),
    300: ("pressure", 1),
    400: ("wind_speed", 1),
    500: ("wind_direction", 1),
    820: ("rain_intensity", 1),
    900: ("global_radiation", 1),
    903: ("illuminance", 1_000),
}


class Station:
    """A weather station: `channels` are those it has, `measure` gives the values by name."""

    FLOAT = 0x16
    OK, UNKNOWN_COMMAND, INVALID_CHANNEL = 0x00, 0x10, 0x24

    def __init__(
        self, channels: Mapping[int, tuple[str, float]], measure: Callable[[int], Mapping[str, float]], number: int = 1
    ) -> None:
        self._channels = channels
        self._measure = measure
        self._number = number
        self.start()

    def start(self) -> None:
        self._now_ms = 0
        self._heard = b""

    def said(self, now_ms: int) -> bytes:
        self._now_ms = now_ms
        return b""

    def heard(self, data: bytes) -> bytes:
        self._heard = (self._heard + data)[-MAX_HEARD:]
        answers = b""
        while (at := self._heard.find(b"\x01\x10")) >= 0 and len(self._heard) >= at + 12:
            length = self._heard[at + 6]
            request = self._heard[at : at + 12 + length]
            if len(request) < 12 + length:
                break
            if not length or int.from_bytes(request[-3:-1], "little") != crc16(request[:-3], 0xFFFF):
                self._heard = self._heard[at + 1 :]
                continue
            self._heard = self._heard[at + 12 + length :]
            if request[2:4] == bytes((self._number, 0x70)):
                answers += self._answer(request[8], request[10:-4], master=request[4:6])
        return answers

    def _answer(self, command: int, asked: bytes, master: bytes) -> bytes:
        channels = [int.from_bytes(asked[at : at + 2], "little") for at in range(command == 0x2F, len(asked) - 1, 2)]
        entries = self._entries(channels)
        if command == 0x23 and entries:
            return umb(command, entries[0], self._number, master)
        if command == 0x2F:
            body = bytes((self.OK, len(entries))) + b"".join(bytes((len(entry),)) + entry for entry in entries)
            return umb(command, body, self._number, master)
        return umb(command, bytes((self.UNKNOWN_COMMAND,)), self._number, master)

    def _entries(self, channels: Sequence[int]) -> list[bytes]:
        values = self._measure(self._now_ms)
        entries: list[bytes] = []
        for channel in channels:
            name, unit = self._channels.get(channel, ("", 1))
            if name in values:
                entries.append(struct.pack("<BHBf", self.OK, channel, self.FLOAT, values[name] / unit))
            else:
                entries.append(struct.pack("<BH", self.INVALID_CHANNEL, channel))
        return entries


def umb(command: int, payload: bytes, number: int = 1, master: bytes = b"\x01\xf0") -> bytes:
    """An answer of weather station `number`."""
    head = b"\x01\x10" + master + bytes((number, 0x70, len(payload) + 2, 2, command, 0x10))
    frame = head + payload + b"\x03"
    return frame + crc16(frame, 0xFFFF).to_bytes(2, "little") + b"\x04"
