"""`hoflicht firmware`: another program for the node at a serial port, tried before it is kept.

    upload → marked to be tried → restarted → it runs: confirmed → done
                                            → it does not: MCUboot has gone back by itself

What is to be done next follows from what the node says it has, so a run that was cut off at any arrow is simply repeated. Until the
program is confirmed a restart brings the old one back.
"""

import argparse
import enum
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.config import SELF_NAMING, load_edge
from edge.image import Image, load
from edge.loan import borrowed, file_of
from edge.mcumgr import Node, Slot
from hoflicht import logs
from hoflicht.clock import Clock, SystemClock
from hoflicht.config import choose
from hoflicht.errors import Refused, Unavailable

DONE, FAILED = 0, 1
LOOK_S = 0.2  # for the node to be back
RESTART_AGAIN_MS = 5_000  # a node that still runs the old program by then has not heard us; it answers before it restarts
TELL_PERCENT = 10

Tell = Callable[[str], None]


class Step(enum.IntEnum):
    """What is to be done next, in this order."""

    UPLOAD = 0
    MARK = 1
    RESTART = 2
    CONFIRM = 3
    DONE = 4


GONE_BACK = (
    "MCUboot has gone back to the old program, which runs: the new one did not start, the power failed on its first run,"
    " or the node does not trust its key"
)
STUCK = {
    Step.UPLOAD: "the node took the image and does not have it: is its second slot defect?",
    Step.MARK: "the node took the word to try the image and does not stand by it",
    Step.RESTART: GONE_BACK,
    Step.CONFIRM: GONE_BACK,
}


def main(argv: list[str]) -> int:
    """Run `hoflicht firmware CONFIG PORT IMAGE --key FILE`; 0 the node runs it, 1 it does not, BadConfig for 2."""
    options = _parser().parse_args(argv)
    logs.to_stderr()
    config = load_edge(options.config)
    nodes = {name: port for name, port in config.ports.items() if port.driver == SELF_NAMING}
    port = choose(f"{options.config}: a port with a node named", options.port, nodes)
    image = load(options.image, options.key)
    signal.signal(signal.SIGINT, _cut_off)
    try:
        with borrowed(file_of(config.spool.path, options.port)), Node(port.path, port.line()) as node:
            update(node, image, _say, SystemClock(), options.wait * 1000)
    except (Unavailable, Refused) as cause:
        sys.stderr.write(f"hoflicht firmware: {cause}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("hoflicht firmware: cut off; run it again, it goes on\n")
        return FAILED
    return DONE


def _cut_off(*_: object) -> None:
    """What Ctrl-C does. asyncio would ask the request to end instead, and a request that ends just then has not heard of it."""
    raise KeyboardInterrupt


def next_step(slots: Sequence[Slot], digest: bytes) -> Step:
    """What brings a node with these slots nearer to running and keeping the image."""
    ours = [slot for slot in slots if slot.digest == digest]
    if any(slot.is_active for slot in ours):
        return Step.DONE if any(slot.is_active and slot.is_confirmed for slot in ours) else Step.CONFIRM
    if any(slot.is_pending for slot in ours):
        return Step.RESTART
    return Step.MARK if ours else Step.UPLOAD


def update(node: Node, image: Image, tell: Tell, clock: Clock, wait_ms: int) -> None:
    """Do what is left to do; raise Refused where the node does not keep the image, Unavailable where it does not answer."""
    slots = node.slots()
    runs = next((slot.version for slot in slots if slot.is_active), "nothing")
    tell(f"the node runs {runs}; the image is {image.version}, SHA-256 {image.digest.hex()}")
    last: Step | None = None
    while (step := next_step(slots, image.digest)) is not Step.DONE:
        if last is not None and step <= last:
            raise Refused(STUCK[last])
        _do(step, node, image, tell, clock, wait_ms)
        last, slots = step, node.slots()
    tell("the node runs it already and keeps it: nothing to do" if last is None else "the node runs it and keeps it")


def _do(step: Step, node: Node, image: Image, tell: Tell, clock: Clock, wait_ms: int) -> None:
    if step is Step.UPLOAD:
        node.upload(image.data, image.digest, _percent(len(image.data), tell))
    elif step is Step.MARK:
        node.mark(image.digest)
    elif step is Step.CONFIRM:
        node.confirm(image.digest)
    else:
        tell(f"the node restarts and tries it; back within {wait_ms / 1000:g} s?")
        _restart(node, image.digest, clock, wait_ms)


def _restart(node: Node, digest: bytes, clock: Clock, wait_ms: int) -> None:
    """Return once the node has restarted, with the one program or the other."""
    node.restart()
    until_ms, again_ms = clock.monotonic_ms() + wait_ms, clock.monotonic_ms() + RESTART_AGAIN_MS
    while clock.monotonic_ms() < until_ms:
        time.sleep(LOOK_S)
        try:
            if next_step(node.slots(), digest) is not Step.RESTART:
                return
        except Unavailable:  # its bootloader is copying
            continue
        if clock.monotonic_ms() >= again_ms:
            node.restart()
            again_ms = clock.monotonic_ms() + RESTART_AGAIN_MS
    raise Unavailable(
        f"the node has not come back within {wait_ms / 1000:g} s. If the new program hangs, its watchdog or a power cut brings the"
        " old one back; run this again to see"
    )


def _percent(total: int, tell: Tell) -> Callable[[int], None]:
    told = -1

    def progress(offset: int) -> None:
        nonlocal told
        now = 100 * offset // total // TELL_PERCENT * TELL_PERCENT
        if now != told:
            told = now
            tell(f"{now} % of {total} bytes are in the node")

    return progress


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht firmware",
        description="Give the node at a serial port another program, by MCUmgr. The image is checked with your public key, brought"
        " over, tried, and kept once the node is back with it; else MCUboot goes back to the old one. An agent that runs lends the"
        " port meanwhile and goes on reading its other ports.",
        epilog="Repeat a run that was cut off. Exit codes: 0 the node runs the image, 1 it does not, 2 edit your command.",
    )
    parser.add_argument("config", type=Path, metavar="CONFIG", help="the gateway's edge.toml")
    parser.add_argument("port", metavar="PORT", help="the name of its [ports.…] table; its driver is node")
    parser.add_argument("image", type=Path, metavar="IMAGE", help="as imgtool sign writes it, binary")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="public key in PEM, Ed25519 or ECDSA P-256")
    parser.add_argument("--wait", type=int, default=180, metavar="S", help="how long the node may take to restart, %(default)s s")
    return parser
