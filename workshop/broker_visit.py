"""What the doctor sees of the broker: the way there, who it is, whether it lets us in, and what we may say and hear."""

import contextlib
import os
import ssl
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from hoflicht import topics
from hoflicht.broker import BrokerConfig, Confirmed, Connected, Event, Message, Received, Session
from hoflicht.errors import BadConfig, Unavailable
from hoflicht.wait import Wait
from hoflicht.wait import decode as decoded_wait
from workshop import telephone
from workshop.finding import Finding, well, wrong

PART = "broker"
ENTRY_S = 12.0  # connect and subscribe
ANSWER_S = 5.0  # to one publish
RETAINED_S = 1.0  # for what a broker has kept to come
REFUSED = 0x80  # MQTT 5 §2.4: reason codes from here on are a no
NOBODY = "doctor"  # a gateway of that name would get what is said for trial
START = "is it running? docker compose ps mosquitto, or systemctl status mosquitto"


class Visit(NamedTuple):
    """As whom the broker is visited, what is said for trial, and what is listened to."""

    client_id: str
    says: str  # a topic that nobody reads, and that whoever may do his work may write
    hears: Sequence[str] = ()


def visitor(kind: str, name: str, broker: BrokerConfig, yards: Sequence[str] = ()) -> Visit:
    """As the role of `kind` called `name`. By password under an id of our own, so that nobody is pushed out."""
    client_id = name if broker.cert_file else f"doctor-{os.getpid()}"
    if kind == "edge":
        return Visit(name, topics.reported(name, NOBODY), [topics.answers(name), *(topics.wait(yard) for yard in yards)])
    if kind == "ingest":
        return Visit(client_id, topics.answers(NOBODY))  # not its batches: who listens to them takes them
    if kind == "api":
        return Visit(client_id, topics.desired(NOBODY, topics.LIGHT), [topics.answers(name)])
    return Visit(client_id, topics.desired(NOBODY, topics.CONFIG))


def way(broker: BrokerConfig) -> Iterator[Finding]:
    """Name, connection and TLS; nothing where all of it is well."""
    found = telephone.called(PART, broker.host, broker.port, START)
    if found is None and broker.ca_file:
        try:
            context = ssl.create_default_context(cafile=broker.ca_file)
        except (OSError, ssl.SSLError) as cause:
            step = "hoflicht enroll brings it, or ca_file in the config"
            yield wrong(PART, f"the CA {broker.ca_file} cannot be used", str(cause), step)
            return
        with contextlib.suppress(OSError, ssl.SSLError):  # what is wrong with it stands under the certificate
            if broker.cert_file:
                context.load_cert_chain(broker.cert_file, broker.key_file or None)
        found = telephone.greeted(PART, broker.host, broker.port, context)
    if found is not None:
        yield found


def entry(broker: BrokerConfig, visit: Visit) -> Iterator[Finding]:
    """Go in, say something that nobody reads, and see what the broker has kept for us."""
    where = f"{broker.host}:{broker.port}"
    try:
        session = Session(broker, visit.client_id, visit.hears)
    except BadConfig as cause:
        yield wrong(PART, "we have nothing to show at the broker", str(cause), "repair what is named")
        return
    with session:
        if not _happens(session, Connected, ENTRY_S):
            step = "user and password, or certificate; the broker's log has its side: docker compose logs mosquitto"
            yield wrong(PART, f"{where} does not let us in", session.trouble or f"no answer within {ENTRY_S:g} s", step)
            return
        yield well(PART, f"{where} lets us in{' and hears our topics' if visit.hears else ''}")
        yield from _kept(session, visit.hears)  # before anything else is waited for
        yield _said(session, visit.says)


def _said(session: Session, topic: str) -> Finding:
    try:
        token = session.publish(Message(topic=topic, payload=b""))
    except Unavailable as cause:
        return wrong(PART, "it hangs up", str(cause), "the broker's log: docker compose logs mosquitto")
    answer = _happens(session, Confirmed, ANSWER_S)
    if isinstance(answer, Confirmed) and answer.token == token and answer.code < REFUSED:
        return well(PART, f"we may write {topic}")
    why = f"reason code 0x{answer.code:02x}" if isinstance(answer, Confirmed) else f"no PUBACK within {ANSWER_S:g} s"
    return wrong(PART, f"we may not write {topic}", why, "the broker's access lists: hoflicht broker-config, then start it again")


def _kept(session: Session, hears: Sequence[str]) -> Iterator[Finding]:
    """The last wait of each sign's yard."""
    waits = [topic for topic in hears if topic.startswith(f"{topics.ROOT}/yards/")]
    told: dict[str, Wait] = {}
    deadline = time.monotonic() + (RETAINED_S if waits else 0)
    while len(told) < len(waits) and time.monotonic() < deadline:
        event = session.event(max(0.0, deadline - time.monotonic()))
        if isinstance(event, Received) and event.message.topic in waits:
            with contextlib.suppress(msgspec.DecodeError):  # an empty one takes the number away
                told[event.message.topic] = decoded_wait(event.message.payload)
    for topic in waits:
        if topic in told:
            yield well("sign", f"{topic} is {told[topic].state} as of {told[topic].as_of:%H:%M:%S}")
        else:
            why = "the broker keeps no fresh wait; what is old it drops"
            yield wrong("sign", f"{topic} has no number for the sign", why, "on the server: hoflicht doctor api.toml")


def _happens(session: Session, kind: type[Event], within_s: float) -> Event | None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and not session.trouble:
        event = session.event(min(0.1, within_s))
        if isinstance(event, kind):
            return event
    return None
