"""`hoflicht decode` and `hoflicht sniff`: what bytes of a device say, one JSON object a sample."""

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from firmware_bridge.devices import ANSWER_S, DEVICES, Device
from firmware_bridge.frames import Frame, Noise, Sample
from firmware_bridge.port import Port
from hoflicht import logs, stop
from hoflicht.config import choose
from hoflicht.errors import BadConfig
from hoflicht.quantities import QUANTITIES

CHUNK = 4096  # bytes read at once
MAX_HEX_LINE = 65_536  # characters; a file without line ends is no hex text
READ_S = 0.2  # how long a port may stay silent until Ctrl-C and the next request have their turn
SHOWN_BYTES = 32  # of noise in one line


class Counts(msgspec.Struct):
    """What went through a decoder."""

    frames: int = 0
    samples: int = 0
    noise: int = 0  # bytes
    lost: int = 0  # frames
    given_up: int = 0  # single values of good frames

    def take(self, item: Frame | Noise) -> None:
        """Count `item`."""
        if isinstance(item, Noise):
            self.noise += len(item.data)
            self.given_up += not item.data
            return
        self.frames += 1
        self.samples += len(item.samples)
        self.lost += item.lost

    def __str__(self) -> str:
        said = f"{self.frames} frames, {self.samples} samples, {self.noise} noise bytes, {self.lost} lost frames"
        return f"{said}, {self.given_up} values given up" if self.given_up else said


def main(argv: list[str]) -> int:
    """`hoflicht decode`: exit code 0 where at least one frame was good, 1 where none was."""
    arguments = _decode_arguments().parse_intermixed_args(argv)  # options may stand between device and file
    if arguments.list:
        with _until_the_reader_leaves():
            sys.stdout.writelines(f"{name:<9} {device.line!s:<12} {device.meaning}\n" for name, device in DEVICES.items())
        return 0
    if arguments.file is None:
        raise BadConfig("which device and which file? An example: hoflicht decode sds011 capture.bin; --list shows the devices")
    decoder = _device(arguments.driver).decoder()
    counts = Counts()
    with _until_the_reader_leaves():
        for chunk in _chunks(arguments.file, arguments.hex):
            _take(decoder.feed(chunk), counts, show_noise=arguments.noise)
    left = f", {decoder.pending} bytes of an unfinished frame" if decoder.pending else ""
    sys.stderr.write(f"{counts}{left}\n")
    return 0 if counts.frames else 1


def sniff(argv: list[str]) -> int:
    """`hoflicht sniff`: runs until Ctrl-C and returns 0."""
    arguments = _sniff_arguments().parse_args(argv)
    device = _device(arguments.driver)
    changed = {"baud": arguments.baud, "parity": arguments.parity}
    line = msgspec.structs.replace(device.line, **{key: value for key, value in changed.items() if value is not None})
    if not Path(arguments.port).exists():
        raise BadConfig(f"{arguments.port} does not exist; is it plugged in? Stable names are in /dev/serial/by-id")
    logs.to_stderr()
    stopping = stop.on_signals()
    counts = Counts()
    with Port(arguments.port, line) as port, _until_the_reader_leaves():
        sys.stderr.write(f"{device.meaning} on {arguments.port}, {line}; Ctrl-C ends\n")
        _listen(port, device, arguments.address or device.address, counts, stopping.is_set, raw=arguments.raw)
    sys.stderr.write(f"{counts}\n")
    return 0


def _listen(port: Port, device: Device, address: int, counts: Counts, is_stopping: Callable[[], bool], *, raw: bool) -> None:
    decoder = device.decoder()
    for request in _requests(port, device, address):
        if is_stopping():
            return
        sent = request if request and port.write(request) else b""
        for sign, data in ((">", sent), ("<", port.read(READ_S))):
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            if raw and data:
                sys.stderr.write(f"{at} {sign} {data.hex(' ').upper()}\n")
            if data is not sent or device.hears_requests:
                _take(decoder.feed(data), counts, at, show_noise=True)


def _requests(port: Port, device: Device, address: int) -> Iterator[bytes]:
    """What to send next, for ever; empty where it is not the time."""
    opened = 0
    next_poll_s = next_send_s = 0.0
    queued: list[bytes] = []
    while True:
        now_s = time.monotonic()
        if port.opened != opened:
            opened = port.opened
            queued = list(device.start)
        if device.poll_every_s and now_s >= next_poll_s and not queued:
            queued = list(device.polls(address))
            next_poll_s = now_s + device.poll_every_s
        if queued and now_s >= next_send_s:
            next_send_s = now_s + ANSWER_S
            yield queued.pop(0)
        else:
            yield b""


def _device(name: str) -> Device:
    return choose("the device", name, dict(DEVICES))


@contextmanager
def _until_the_reader_leaves() -> Iterator[None]:
    """Ctrl-C ends a pipe that has no end, and `| head` may have seen enough: both are a good end."""
    try:
        yield
    except KeyboardInterrupt:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter's last flush must not fail


def _take(items: Iterable[Frame | Noise], counts: Counts, at: str = "", *, show_noise: bool) -> None:
    for item in items:
        counts.take(item)
        if isinstance(item, Frame):
            sys.stdout.writelines(f"{_json(sample, at)}\n" for sample in item.samples)
        elif show_noise:
            shown = item.data[:SHOWN_BYTES].hex(" ").upper() + (" …" if len(item.data) > SHOWN_BYTES else "")
            sys.stderr.write(f"{at} noise, {len(item.data)} bytes, {item.reason}: {shown}\n".lstrip())
    sys.stdout.flush()  # whoever looks at a live port wants it now


def _json(sample: Sample, at: str) -> str:
    said: dict[str, object] = {"at": at} if at else {}
    said |= {"quantity": sample.quantity, "value": sample.value, "unit": QUANTITIES[sample.quantity].unit}
    named = ("site", "sensor", "direction", "age_ms")
    said |= {name: value for name in named if (value := getattr(sample, name))}
    return msgspec.json.encode(said).decode()


def _chunks(file: str, as_hex: bool) -> Iterator[bytes]:
    """The bytes of the file as they come; a pipe need not end."""
    try:
        with io.FileIO(sys.stdin.fileno() if file == "-" else file, closefd=file != "-") as opened:
            yield from _unhex(opened) if as_hex else iter(lambda: opened.read(CHUNK), b"")
    except OSError as cause:
        raise BadConfig(f"{file}: cannot be read ({cause.strerror})") from cause


def _unhex(opened: io.FileIO) -> Iterator[bytes]:
    with io.BufferedReader(opened) as buffered:
        for number, line in enumerate(iter(lambda: buffered.readline(MAX_HEX_LINE), b""), start=1):
            digits = "".join(line.decode("ascii", "replace").partition("#")[0].split())
            try:
                yield bytes.fromhex(digits)
            except ValueError as cause:
                raise BadConfig(f"line {number} is no hex text: {digits[:40]!r}") from cause


def _decode_arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht decode",
        description="What do these bytes of a sensor say? Prints one JSON object a sample, and a summary on standard error.",
        epilog="Exit codes: 0 at least one good frame, 1 none, 2 wrong command. Meters: the bytes must hold the requests, too.",
    )
    parser.add_argument("driver", nargs="?", metavar="DEVICE", default="", help="sds011, node, …; --list shows them all")
    parser.add_argument("file", nargs="?", metavar="FILE", help="a capture; - is standard input, which need not end")
    parser.add_argument("--hex", action="store_true", help="the file is hex text; white space and # comments are allowed")
    parser.add_argument("--noise", action="store_true", help="show the bytes that are part of no frame, and why, on standard error")
    parser.add_argument("--list", action="store_true", help="show the devices with their line settings")
    return parser


def _sniff_arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht sniff",
        description="What does the sensor on this port say, live? Asks the sensor where it must be asked; Ctrl-C ends.",
    )
    parser.add_argument("port", metavar="PORT", help="the serial port, an example: /dev/ttyUSB0")
    parser.add_argument("--driver", required=True, metavar="DEVICE", help=f"one of {', '.join(DEVICES)}")
    parser.add_argument("--baud", type=int, metavar="N", help="where the device is not set to its usual speed")
    parser.add_argument("--parity", choices=("N", "E", "O"), help="likewise")
    parser.add_argument("--address", type=int, metavar="N", choices=range(1, 248), help="of a meter on its bus, 1 to 247")
    parser.add_argument("--raw", action="store_true", help="also show the bytes that come (<) and go (>)")
    return parser
