"""A node's management by MCUmgr (SMP): which images it has, which one it is to try, to keep, and its restart.

The one door to smpclient, and with it to asyncio: a loop of its own runs just as long as a request does. What smpclient raises for
an answer that was cut, late or noise is one thing here: an answer that did not come.
"""

import asyncio
import contextlib
import logging
import struct
import termios
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from cbor2 import CBORDecodeError
from smp.error import ErrorV1, ErrorV2
from smp.exceptions import SMPException
from smpclient import SMPClient
from smpclient.exceptions import SMPClientException, SMPUploadError
from smpclient.generics import SMPRequest, TEr1, TEr2, TRep, success
from smpclient.requests.image_management import ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import ResetWrite
from smpclient.transport import SMPTransportDisconnected
from smpclient.transport.serial import SMPSerialTransport

from firmware_bridge.devices import Line
from hoflicht.errors import Refused, Unavailable

T = TypeVar("T")

ANSWER_S = 2.5  # for the longest frame at 9600 baud and the flash page that is written before the answer
ERASE_S = 40.0  # for the first part of an image: a whole slot may be erased before the answer; as in smpclient
OPEN_S = 10.0  # the agent lets go of the port within a second, or after a write that hangs
WRITE_S = 5.0  # as in firmware_bridge.port
MIN_MESSAGE = 160  # bytes, whatever the node says: the first part of an image has its header, its hash and their frame
MAX_MESSAGE = 1024  # likewise: in base64 it takes 1.5 s at 9600 baud
TRIES = 5  # in a row without an answer, or without getting on
SPOILT = (  # what smpclient raises for bytes that are no answer, found by sending it some
    SMPTransportDisconnected,
    SMPClientException,
    SMPException,
    CBORDecodeError,
    AssertionError,
    TypeError,
    ValueError,
    OSError,
    struct.error,
    termios.error,
)

logging.getLogger("smp").setLevel(logging.CRITICAL)  # they log each answer that is late or spoilt, and we ask again
logging.getLogger("smpclient").setLevel(logging.CRITICAL)


class Slot(msgspec.Struct, frozen=True):
    """A slot of the node's flash and the image in it."""

    digest: bytes
    version: str
    is_active: bool  # it runs
    is_confirmed: bool  # it will run after the next restart too
    is_pending: bool  # it will be tried after the next restart


class _Transport(SMPSerialTransport):
    @property
    def is_open(self) -> bool:
        return bool(self._conn.is_open)

    def initialize(self, smp_server_transport_buffer_size: int) -> None:
        super().initialize(min(max(smp_server_transport_buffer_size, MIN_MESSAGE), MAX_MESSAGE))

    def forget(self) -> None:
        """Begin anew with an open port: closing it drops DTR, and there are boards that restart then."""
        self._conn.reset_input_buffer()
        self._reset_state()


class _Client(SMPClient):
    async def request(self, request: SMPRequest[TRep, TEr1, TEr2], timeout_s: float | None = None) -> TRep | TEr1 | TEr2:
        try:
            return await super().request(request, timeout_s)
        except TimeoutError:
            raise
        except SPOILT as cause:
            await asyncio.sleep(self._timeout_s)  # the true answer may still come, and be taken for that to the next request
            raise TimeoutError(f"no good answer: {cause}") from cause


class Node:
    """The node at a serial port. Its requests raise Unavailable where it does not answer, Refused where it says no."""

    def __init__(self, path: str, line: Line, answer_s: float = ANSWER_S, erase_s: float = ERASE_S) -> None:
        self._path = path
        self._erase_s = erase_s
        self._transport = _Transport(
            baudrate=line.baud, bytesize=line.bits, parity=line.parity, stopbits=line.stop, write_timeout=WRITE_S, exclusive=True
        )
        self._client = _Client(self._transport, path, answer_s)
        self._failures = 0  # in a row
        self._runner = asyncio.Runner()

    def __enter__(self) -> "Node":
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._client.disconnect())
        self._runner.close()

    def slots(self) -> list[Slot]:
        """What the node has."""
        return self._runner.run(self._persist(self._slots))

    def upload(self, data: bytes, digest: bytes, progress: Callable[[int], None]) -> None:
        """Bring the image over, from where the node says on; `progress` hears how many bytes it has."""
        best = 0

        async def send() -> None:
            nonlocal best
            if any(slot.digest == digest for slot in await self._slots()):
                return  # all of it came last time, only the answer was lost
            last, stalls = -1, 0
            async for offset in self._client.upload(data, first_timeout_s=self._erase_s):
                stalls += offset <= last
                if stalls == TRIES:
                    raise TimeoutError
                last = offset
                progress(offset)
                if offset > best:
                    best, self._failures = offset, 0

        self._runner.run(self._persist(send))

    def mark(self, digest: bytes) -> None:
        """Let MCUboot try this image once at the next restart."""
        self._runner.run(self._persist(lambda: self._ask(ImageStatesWrite(hash=digest))))

    def confirm(self, digest: bytes) -> None:
        """Let MCUboot keep this image, which runs."""
        self._runner.run(self._persist(lambda: self._ask(ImageStatesWrite(hash=digest, confirm=True))))

    def restart(self) -> None:
        """Ask once, whatever is answered: a second request might come after the restart, and end the trial of the new image."""

        async def ask_once() -> None:
            await self._open()
            with contextlib.suppress(TimeoutError):
                await self._ask(ResetWrite())

        self._runner.run(ask_once())

    async def _slots(self) -> list[Slot]:
        answer = await self._ask(ImageStatesRead())
        return [
            Slot(bytes(one.hash or b""), one.version, bool(one.active), bool(one.confirmed), bool(one.pending))
            for one in answer.images
            if not one.image  # the node's radio, or what else has an image of its own, is not meant
        ]

    async def _persist(self, work: Callable[[], Awaitable[T]]) -> T:
        self._failures = 0
        while True:
            try:
                await self._open()
                return await work()
            except SMPUploadError as cause:
                raise Refused(f"the node refuses the image: {_reason(cause.args[0])}") from cause
            except TimeoutError as cause:
                self._failures += 1
                if self._failures == TRIES:
                    raise Unavailable(f"{self._path}: the node does not answer") from cause
                await self._forget()

    async def _open(self) -> None:
        if self._transport.is_open:
            return
        try:
            await self._client.connect(OPEN_S)
        except (OSError, termios.error) as cause:  # TimeoutError is an OSError
            raise Unavailable(f"{self._path} does not open: is it plugged in, or does another program have it?") from cause

    async def _forget(self) -> None:
        try:
            self._transport.forget()
        except (OSError, termios.error):  # unplugged
            await self._client.disconnect()

    async def _ask(self, request: SMPRequest[TRep, TEr1, TEr2]) -> TRep:
        answer = await self._client.request(request)
        if success(answer):
            return answer
        raise Refused(f"the node refuses: {_reason(answer)}")


def _reason(answer: object) -> str:
    if isinstance(answer, ErrorV1):
        return answer.rc.name
    return str(answer.err.rc.name) if isinstance(answer, ErrorV2) else str(answer)
