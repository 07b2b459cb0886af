"""An MQTT 5 session that comes back: publish, receive, acknowledge by hand. The one door to paho-mqtt.

Every connection is a new paho client with a clean start, so that nothing a broken connection left behind can be sent twice or
acknowledged under another message's id; what must survive lives on the gateway's disk. All that happens comes out of one queue, so
that a service is one loop over `event()`; it is bounded by what the service itself has published, and for messages by MAX_WAITING.
"""

import contextlib
import logging
import queue
import ssl
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from hoflicht import packets
from hoflicht.attempt import Alias, Attempt
from hoflicht.config import Strict, beside, secret
from hoflicht.errors import BadConfig, Unavailable
from hoflicht.link import Link
from hoflicht.packets import Publish
from hoflicht.place import SERVER, Place, pause_s

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
MAX_WAITING = 1_000  # messages that the service has not taken yet; receive maximum and window keep it far below
BUSY_S = 0.05  # until the next look whether they are fewer; a service takes longer for so many
MAX_PACKET = 512 * 1024  # bytes; what is larger the broker drops instead of sending it to us

NO_MATCHING_SUBSCRIBERS = 0x10  # MQTT 5 §3.4.2.1: published, and nobody was there to take it


class BrokerConfig(Strict, frozen=True):
    """Where the broker is and how we show who we are."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password_file: str = ""
    ca_file: str = ""  # with it the connection is TLS
    cert_file: str = ""
    key_file: str = ""

    def beside(self, config: Path) -> "BrokerConfig":
        """The same broker with the paths of its files counted from the folder of `config`."""
        names = ("password_file", "ca_file", "cert_file", "key_file")
        return msgspec.structs.replace(self, **{n: str(beside(config, getattr(self, n))) for n in names if getattr(self, n)})


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """An MQTT 5 application message, with the properties we use."""

    topic: str
    payload: bytes
    retain: bool = False
    content_type: str = ""
    encoding: str = ""  # user property `encoding`
    response_topic: str = ""
    correlation: bytes = b""
    expiry_s: int | None = None  # received: what is left of it
    is_aliased: bool = False  # its topic is told once a connection and has a number from then on (§3.3.2.3.4)


class Connected(msgspec.Struct, frozen=True):
    """The broker took us and all subscriptions."""


class Lost(msgspec.Struct, frozen=True):
    """The connection ended; what was published and not confirmed may or may not have arrived."""

    reason: str


class Received(msgspec.Struct, frozen=True):
    """A message; the broker keeps it as ours until `Session.acknowledge`."""

    message: Message
    mid: int
    qos: int
    connection: int


class Confirmed(msgspec.Struct, frozen=True):
    """The broker's PUBACK to the publish with this token; from 0x80 on the code says that it was refused."""

    token: int
    code: int


Event: TypeAlias = Connected | Lost | Received | Confirmed


class Session:
    """One identity at one broker. Publish and acknowledge from one thread; connecting goes on in the background."""

    def __init__(
        self,
        broker: BrokerConfig,
        client_id: str,
        subscriptions: Sequence[str] = (),
        *,
        will: Message | None = None,
        receive_maximum: int = 20,
        place: Place = SERVER,
    ) -> None:
        self._broker = broker
        self._client_id = client_id
        self._subscriptions = list(subscriptions)
        self._will = will
        self._receive_maximum = receive_maximum
        self._place = place
        self._password = secret(broker.password_file, "[broker] password_file") if broker.password_file else None
        self._tls = tls_of(broker)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._client: Link | None = None
        self._publishing = threading.Lock()  # a topic goes before its alias alone does, whoever publishes
        self._connection = 0
        self.trouble = ""  # why the last try to connect has failed
        self._thread = threading.Thread(target=self._stay_connected, name="broker", daemon=True)

    def __enter__(self) -> "Session":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, farewell: Message | None = None) -> None:
        """End the session in an orderly way, so that the broker forgets the will; `farewell` is published first."""
        client = self._client
        if client is not None and farewell is not None:
            with contextlib.suppress(RuntimeError):  # paho's word for a connection that has just been lost
                send(client, farewell).wait_for_publish(timeout=2.0)
        self._closing.set()
        if client is not None:
            client.disconnect()
        if self._thread.is_alive():
            self._thread.join(timeout=CONNECT_TIMEOUT_S)

    def publish(self, message: Message) -> int:
        """Send `message` with QoS 1 and return the token of its `Confirmed`; raise Unavailable where there is no connection."""
        client = self._client
        if client is None or not client.is_connected():
            raise Unavailable("no connection to the broker")
        with self._publishing:
            info = send(client, message, client.user_data_get().alias(message.topic) if message.is_aliased else None)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise Unavailable(f"not published: {paho.error_string(info.rc)}")
        return info.mid

    def event(self, timeout_s: float) -> Event | None:
        """Wait for what happens next; None where nothing did."""
        try:
            return self._events.get(timeout_s > 0, timeout_s)
        except queue.Empty:
            return None

    def acknowledge(self, received: Received) -> None:
        """Tell the broker that `received` is done with; one of an older connection is the broker's again and left alone."""
        client = self._client
        if client is not None and received.connection == self._connection:
            client.ack(received.mid, received.qos)

    def answer(self, answered: Iterable[tuple[Received, Message | None]]) -> None:
        """Acknowledge each, after its answer if it has one, which goes with QoS 0; raise Unavailable where there is no connection.

        An answer that gets lost is not missed: who has none sends again. What is of an older connection is not acknowledged.
        """
        client = self._client
        if client is None or not client.is_connected():
            raise Unavailable("no connection to the broker")
        ready = bytearray()
        for received, message in answered:
            if message is not None:
                ready += packets.answer(message.topic, message.payload, message.correlation)
            if received.qos and received.connection == self._connection:
                ready += packets.acknowledgement(received.mid)
        client.push(bytes(ready))

    def _take(self, received: Received) -> None:
        while self._events.qsize() >= MAX_WAITING:  # the service is busy: let TCP slow the broker down
            if self._closing.wait(BUSY_S):
                return
        self._events.put(received)

    def _stay_connected(self) -> None:
        away_since_s = time.monotonic()
        told = ""
        while not self._closing.is_set():
            attempt = Attempt()
            self._connect(attempt)
            attempt.ended.wait()
            self.trouble = attempt.reason
            self._hang_up()
            if attempt.is_up:
                told = ""
                away_since_s = time.monotonic()
                self._events.put(Lost(attempt.reason))
            if self._closing.is_set():
                return
            if not told or (attempt.is_refused and attempt.reason != told):
                where = f"{self._broker.host}:{self._broker.port}"
                log.warning("no broker at %s: %s; trying again until it answers", where, attempt.reason)
                told = attempt.reason
            self._closing.wait(pause_s(time.monotonic() - away_since_s, self._place))

    def _connect(self, attempt: Attempt) -> None:
        """Connect and subscribe; when this returns, `attempt` is up or has ended."""
        self._connection += 1
        client = self._new_client(self._connection, attempt)
        properties = Properties(PacketTypes.CONNECT)
        properties.ReceiveMaximum = self._receive_maximum
        properties.MaximumPacketSize = MAX_PACKET
        try:
            keepalive_s = self._place.keepalive_s
            client.connect(self._broker.host, self._broker.port, keepalive_s, clean_start=True, properties=properties)
        except (OSError, ValueError) as cause:  # ValueError: paho's word for a host that cannot be one
            attempt.end(str(cause) or type(cause).__name__)
            return
        self._client = client
        client.loop_start()
        if not attempt.settled.wait(CONNECT_TIMEOUT_S):
            attempt.end("it does not answer")
        elif attempt.is_up:
            log.info("connected to the broker at %s:%d as %s", self._broker.host, self._broker.port, self._client_id)

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _new_client(self, connection: int, attempt: Attempt) -> Link:
        def take(published: Publish) -> None:
            message = Message(topic=published.topic, payload=published.payload, retain=published.retain, **published.properties)
            self._take(Received(message, published.mid, published.qos, connection))

        client = Link(
            take,
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            userdata=attempt,
            protocol=paho.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        if self._tls is not None:
            client.tls_set_context(self._tls)
        if self._broker.username:
            client.username_pw_set(self._broker.username, self._password)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=self._will.retain)

        # Callbacks use the client they are handed, not this one: without a circle paho closes its sockets when we drop it.
        def on_connect(connected: paho.Client, _data: Any, _flags: Any, code: ReasonCode, properties: Any) -> None:
            attempt.most_aliases = getattr(properties, "TopicAliasMaximum", 0)
            if code.is_failure:
                attempt.refuse(f"it refuses {self._client_id}: {code} (check [broker] username, password_file or certificate)")
            elif self._subscriptions:
                connected.subscribe([(topic, SubscribeOptions(qos=1)) for topic in self._subscriptions])
            else:
                self._ready(attempt)

        def on_subscribe(_client: paho.Client, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Any) -> None:
            denied = [topic for topic, code in zip(self._subscriptions, codes, strict=False) if code.is_failure]
            if denied:
                attempt.refuse(f"it does not let {self._client_id} read {', '.join(denied)} (check the broker's access list)")
            else:
                self._ready(attempt)

        def on_disconnect(_client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
            attempt.end(str(code))

        def on_publish(_client: paho.Client, _data: Any, mid: int, code: ReasonCode, _properties: Any) -> None:
            # paho holds the lock that `publish` needs while it calls this: to wait for the service here would be to wait for ever.
            self._events.put(Confirmed(mid, code.value))

        client.on_connect = on_connect
        client.on_subscribe = on_subscribe
        client.on_disconnect = on_disconnect
        client.on_publish = on_publish
        return client

    def _ready(self, attempt: Attempt) -> None:
        attempt.is_up = True
        self._events.put(Connected())
        attempt.settled.set()


def send(client: paho.Client, message: Message, alias: Alias | None = None) -> paho.MQTTMessageInfo:
    """Publish `message` with QoS 1 and its properties."""
    properties = Properties(PacketTypes.PUBLISH)
    if alias is not None:
        properties.TopicAlias = alias.number
    if message.content_type:
        properties.ContentType = message.content_type
    if message.encoding:
        properties.UserProperty = ("encoding", message.encoding)
    if message.response_topic:
        properties.ResponseTopic = message.response_topic
    if message.correlation:
        properties.CorrelationData = message.correlation
    if message.expiry_s is not None:
        properties.MessageExpiryInterval = message.expiry_s
    topic = "" if alias is not None and alias.is_known else message.topic
    return client.publish(topic, message.payload, qos=1, retain=message.retain, properties=properties)


def message_of(message: paho.MQTTMessage) -> Message:
    """What paho has received."""
    properties: Any = message.properties
    return Message(
        topic=message.topic,
        payload=bytes(message.payload),
        retain=message.retain,
        content_type=getattr(properties, "ContentType", ""),
        encoding=dict(getattr(properties, "UserProperty", ())).get("encoding", ""),
        response_topic=getattr(properties, "ResponseTopic", ""),
        correlation=getattr(properties, "CorrelationData", b""),
        expiry_s=getattr(properties, "MessageExpiryInterval", None),
    )


def tls_of(broker: BrokerConfig) -> ssl.SSLContext | None:
    """How to reach `broker` with TLS; None where it is to be reached without."""
    if not broker.ca_file:
        return None
    try:
        context = ssl.create_default_context(cafile=broker.ca_file)
        if broker.cert_file:
            secret(broker.key_file or broker.cert_file, "[broker] key_file")  # for whether others may read it
            context.load_cert_chain(broker.cert_file, broker.key_file or None)
    except (OSError, ssl.SSLError) as cause:
        raise BadConfig(f"[broker] ca_file, cert_file or key_file: {cause}") from cause
    return context
