"""`hoflicht configure`: push a config to a gateway, and wait until it has proved itself there or is rolled back."""

import argparse
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec

from edge.config import parse_edge
from edge.trial import MAX_PUSHED, Pushed, Said, Status
from hoflicht import logs, topics
from hoflicht.broker import BrokerConfig, Connected, Message, Received, Session
from hoflicht.clock import Clock, SystemClock
from hoflicht.config import Strict, load, read
from hoflicht.errors import BadConfig

DONE, FAILED = 0, 1
CONNECT_MS = 30_000  # a broker that has not answered by then is away
POLL_S = 0.2


class OperatorConfig(Strict, frozen=True):
    """Who may tell gateways what to do: the broker's user `operator`."""

    broker: BrokerConfig = BrokerConfig()


def main(argv: list[str]) -> int:
    """Run `hoflicht configure GATEWAY FILE`; 0 applied, 1 refused, rolled back, or no answer."""
    arguments = _parser().parse_args(argv)
    logs.to_stderr()
    broker = load(arguments.operator, OperatorConfig).broker.beside(arguments.operator)
    clock = SystemClock()
    pushed = Pushed(arguments.version if arguments.version is not None else clock.now_ms() // 1000, read(arguments.file))
    message = desired(arguments.gateway, pushed, arguments.file)
    topic = topics.reported(arguments.gateway, topics.CONFIG)
    with Session(broker, f"operator-{uuid.uuid4().hex[:8]}", [topic]) as session:
        for said in _answers(session, message, pushed.version, int(arguments.wait * 1000), clock):
            sys.stdout.write(f"{arguments.gateway}: version {said.version}: {said.status}{said.reason and ': '}{said.reason}\n")
            sys.stdout.flush()
            if said.status is not Status.TRYING:
                return DONE if said.status is Status.APPLIED else FAILED
    sys.stderr.write(
        f"no word from {arguments.gateway} yet; until it is started again the broker keeps the config for it."
        f" Ask again with --version {pushed.version}\n"
    )
    return FAILED


def desired(gateway: str, pushed: Pushed, file: Path) -> Message:
    """The message that tells `gateway` its config; raise BadConfig where the gateway would refuse it for its text."""
    if parse_edge(pushed.config, file).gateway != gateway:
        raise BadConfig(f"{file}: gateway: this is not the config of {gateway}")
    payload = msgspec.json.encode(pushed)
    if len(payload) > MAX_PUSHED:
        raise BadConfig(f"{file}: {len(payload)} bytes, a gateway reads at most {MAX_PUSHED}")
    return Message(topic=topics.desired(gateway, topics.CONFIG), payload=payload, retain=True)


def _answers(session: Session, message: Message, version: int, wait_ms: int, clock: Clock) -> Iterator[Said]:
    """Send `message` once connected; hand out what the gateway says of that version."""
    until_ms = clock.monotonic_ms() + CONNECT_MS
    last: Said | None = None
    while clock.monotonic_ms() < until_ms:
        event = session.event(POLL_S)
        if isinstance(event, Connected):
            session.publish(message)
            until_ms = clock.monotonic_ms() + wait_ms
        elif isinstance(event, Received):
            session.acknowledge(event)
            said = _said(event.message)
            if said is not None and said.version == version and said != last:  # it is said again at each connection
                yield said
                last = said


def _said(message: Message) -> Said | None:
    try:
        return msgspec.json.decode(message.payload, type=Said)
    except (msgspec.DecodeError, UnicodeDecodeError):  # of a gateway of another version, or of nobody we know
        return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht configure",
        description="Push a config to a gateway over the broker. The gateway tries it and keeps it once ingest has answered it,"
        " else it goes back by itself to what ran before. Exit code 0 applied, 1 refused, rolled back or no answer, 2 edit a file.",
    )
    parser.add_argument("gateway", help="its name in the catalogue")
    parser.add_argument("file", type=Path, help="the gateway's new edge.toml")
    parser.add_argument(
        "--operator", type=Path, required=True, metavar="CONFIG", help="TOML file with [broker]; deploy/etc/operator.toml"
    )
    parser.add_argument("--version", type=int, help="a number that is another for each push; the time where it is left out")
    parser.add_argument("--wait", type=float, default=600, metavar="S", help="how long to wait for the gateway's word, 600 s")
    return parser
