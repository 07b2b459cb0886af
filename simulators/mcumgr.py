"""A node's board: MCUboot, a program that speaks node frames, and in it Zephyr's MCUmgr server on the same line.

Bytes out, bytes in, no port; written apart from the client it talks to, after Zephyr's "SMP protocol specification", "SMP over
console" and subsys/mgmt/mcumgr/grp/img_mgmt. Lines that are no SMP are not for the server and are ignored.
"""

import base64
import binascii
import struct
from collections.abc import Callable, Mapping
from typing import Any

import cbor2

from simulators.devices import Node
from simulators.flash import Flash, digest, version

FIRST, FURTHER = b"\x06\x09", b"\x04\x14"
LINE = 124  # base64 characters of a line
MAX_HEARD = 4_096  # bytes without a line's end
BUFFER = 512  # bytes of one request
READ, WRITE = 0, 2
OS, IMAGE = 0, 1
ECHO, RESTART, PARAMETERS = 0, 5, 6
STATE, UPLOAD = 0, 1
NOT_SUPPORTED = 8
# Of the image group, img_mgmt.h.
HASH_NOT_FOUND, NO_FREE_SLOT, NO_HEADER, ALREADY_PENDING, TOO_LARGE, TEST_OF_RUNNING = 8, 9, 22, 28, 30, 33
WATCHDOG_MS = 300  # a program that hangs is restarted after that; a real one takes seconds
RESTART_MS = 50  # from the answer to the restart


class Board:
    """One microcontroller. `dead` are the digests of programs that hang; `is_on` is whether it has power.

    The power fails at request number `cut_at`, obeyed or not but never answered, or with `cut_swap` once in the middle of a swap.
    It is back at once where `comes_back`, else with the next `start`.
    """

    def __init__(
        self,
        flash: Flash,
        node: Node,
        *,
        swap_ms: int = 0,
        answer_ms: int = 0,
        dead: frozenset[bytes] = frozenset(),
        spoil: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self.flash = flash
        self.dead = dead
        self.requests = 0
        self.unheard_restarts = 0  # so many of the next ones are lost on the line
        self.cut_at = 0
        self.cut_obeys = self.cut_swap = False
        self.comes_back = True
        self.uploaded: list[int] = []  # offsets at which data was written
        self._node = node
        self._swap_ms = swap_ms
        self._answer_ms = answer_ms
        self._spoil = spoil
        self._now_ms = 0
        self.start()

    @property
    def is_running(self) -> bool:
        """Whether it has power, is through with its bootloader, and its program does not hang."""
        return self.is_on and self._boots_ms is None and digest(self.flash.slots[0]) not in self.dead

    def start(self) -> None:
        """Get power: what was in RAM is gone."""
        self.is_on = True
        self._heard = self._packet = b""
        self._answers: list[tuple[int, bytes]] = []
        self._upload: tuple[bytes, int, int] | None = None  # whose hash, bytes so far, bytes in all
        self._restarts_ms: int | None = None
        self._node.start()
        self._boots_ms: int | None = self._now_ms + (self._swap_ms if self.flash.power_on() else 0)

    def said(self, now_ms: int) -> bytes:
        self._now_ms = now_ms
        self._live()
        if not self.is_running:
            return b""
        due = [answer for at_ms, answer in self._answers if at_ms <= now_ms]
        self._answers = [(at_ms, answer) for at_ms, answer in self._answers if at_ms > now_ms]
        return self._spoil(self._node.said(now_ms) + b"".join(due))

    def heard(self, data: bytes) -> bytes:
        if self.is_running:
            *lines, self._heard = (self._heard + self._spoil(data))[-MAX_HEARD:].split(b"\n")
            for line in lines:
                self._take(line)
        return b""

    def _live(self) -> None:
        """Bootloader, watchdog and restart, each at its time."""
        if self.is_on and self._boots_ms is not None and self._now_ms >= self._boots_ms:
            self._boot()
        if self.is_on and self._restarts_ms is not None and self._now_ms >= self._restarts_ms:
            self.start()

    def _boot(self) -> None:
        if self.flash.is_swapping and self.cut_swap:
            self.cut_swap = False
            self._lose_power()
            return
        if self.flash.is_swapping:
            self.flash.swap()
        self._boots_ms = None
        if digest(self.flash.slots[0]) in self.dead:
            self._restarts_ms = self._now_ms + WATCHDOG_MS

    def _lose_power(self) -> None:
        self.is_on = False
        if self.comes_back:
            self.start()

    def _take(self, line: bytes) -> None:
        """One line of a packet: length, message and CRC16/XMODEM, in base64 over as many lines as it takes."""
        try:
            if line[:2] == FIRST:
                self._packet = base64.b64decode(line[2:], validate=True)
            elif line[:2] == FURTHER and self._packet:
                self._packet += base64.b64decode(line[2:], validate=True)
        except binascii.Error:
            self._packet = b""
        length = int.from_bytes(self._packet[:2], "big")
        if 2 < len(self._packet) >= 2 + length:
            packet, self._packet = self._packet[2:], b""
            if len(packet) == length <= BUFFER and binascii.crc_hqx(packet, 0) == 0:
                self._serve(packet[:-2])

    def _serve(self, message: bytes) -> None:
        if len(message) < 8:
            return
        kind, _, _, group, sequence, command = struct.unpack_from(">BBHHBB", message)
        if (group, command) == (OS, RESTART) and self.unheard_restarts:
            self.unheard_restarts -= 1
            return
        self.requests += 1
        is_cut = self.requests == self.cut_at
        if is_cut and not self.cut_obeys:
            self._lose_power()
            return
        answer = cbor2.dumps(self._answer(kind & 7, group, command, cbor2.loads(message[8:])))
        if is_cut:
            self._lose_power()
            return
        head = struct.pack(">BBHHBB", kind + 1, 0, len(answer), group, sequence, command)
        self._answers.append((self._now_ms + self._answer_ms, packed(head + answer)))

    def _answer(self, kind: int, group: int, command: int, body: Mapping[str, Any]) -> dict[str, Any]:
        if group == OS and command == ECHO:
            return {"r": body["d"]}
        if group == OS and command == PARAMETERS:
            return {"buf_size": BUFFER, "buf_count": 4}
        if group == OS and command == RESTART:
            self._restarts_ms = self._now_ms + self._answer_ms + RESTART_MS
            return {}
        if group == IMAGE and command == STATE:
            failure = self._set_state(body) if kind == WRITE else 0
            return _failed(failure) if failure else {"images": list(self._images()), "splitStatus": 0}
        if group == IMAGE and command == UPLOAD and kind == WRITE:
            return self._write(body)
        return {"rc": NOT_SUPPORTED}

    def _images(self) -> list[dict[str, Any]]:
        """Flags that are false are left out, as Zephyr does with FRUGAL_LIST."""
        first, second = self.flash.slots
        flags = [{"active": True, "confirmed": self.flash.is_confirmed}]
        flags += [{"pending": self.flash.is_marked, "confirmed": not self.flash.is_confirmed}]
        return [
            {"slot": number, "version": version(image), "hash": digest(image), "bootable": True}
            | {name: True for name, value in flags[number].items() if value}
            for number, image in enumerate((first, second))
            if digest(image)
        ]

    def _set_state(self, body: Mapping[str, Any]) -> int:
        wanted, confirm = body.get("hash", digest(self.flash.slots[0])), body.get("confirm", False)
        if wanted not in [digest(image) for image in self.flash.slots]:
            return HASH_NOT_FOUND
        if wanted != digest(self.flash.slots[0]):
            if confirm or not self.flash.is_confirmed:
                return ALREADY_PENDING
            self.flash.is_marked = True
        elif not confirm:
            return TEST_OF_RUNNING
        elif self.flash.is_marked:
            return ALREADY_PENDING
        else:
            self.flash.is_confirmed = True
        return 0

    def _write(self, body: Mapping[str, Any]) -> dict[str, Any]:
        data: bytes = body["data"]
        if body["off"] == 0 and (self._upload is None or self._upload[0] != body.get("sha", b"")):
            if self.flash.is_marked or not self.flash.is_confirmed:
                return _failed(NO_FREE_SLOT)
            if len(data) < 32:
                return _failed(NO_HEADER)
            if body["len"] > self.flash.size:
                return _failed(TOO_LARGE)
            self._upload, self.flash.slots[1] = (body.get("sha", b""), 0, body["len"]), b""
        if self._upload is None:
            return {"off": 0}
        sha, done, total = self._upload
        if body["off"] == done:
            self.uploaded.append(done)
            self.flash.slots[1] += data
            done += len(data)
            self._upload = (sha, done, total) if done < total else None
        return {"off": done}


def _failed(number: int) -> dict[str, Any]:
    return {"err": {"group": IMAGE, "rc": number}}


def packed(message: bytes) -> bytes:
    """`message` as lines of SMP over console."""
    coded = base64.b64encode((len(message) + 2).to_bytes(2, "big") + message + binascii.crc_hqx(message, 0).to_bytes(2, "big"))
    lines = [coded[at : at + LINE] for at in range(0, len(coded), LINE)]
    return b"".join((FURTHER if at else FIRST) + line + b"\n" for at, line in enumerate(lines))
