"""An MQTT 5 session that comes back: publish, receive, acknowledge by hand. The one door to paho-mqtt.

Every connection is a new paho client with a clean start, so that nothing a broken connection left behind can be sent twice or
acknowledged under another message's id; what must survive lives on the gateway's disk. All that happens comes out of one bounded
queue, so that a service is one loop over `event()`.
"""

import contextlib
import logging
import queue
import ssl
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import paho.mqtt.client as paho
from paho.mqtt import properties as paho_properties
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from hoflicht.config import Strict, beside, secret
from hoflicht.errors import BadConfig, Unavailable
from hoflicht.place import SERVER, Place, pause_s

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
MAX_EVENTS = 1_000  # waiting for the service; receive maximum and window keep it far below
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


def _read_text(buffer: bytes, length: int) -> tuple[str, int]:
    """A text of a packet's properties, and how many bytes it took."""
    end = 2 + int.from_bytes(buffer[:2], "big")
    if not 2 <= end <= length:
        raise MalformedPacket("a text that is longer than its packet")
    return buffer[2:end].decode("utf-8", "replace"), end


# paho 2.2 hangs up on U+FEFF, which MQTT 5 allows in every text (§1.5.4): one gateway that writes it would cut us off from all.
paho_properties.readUTF = _read_text

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
        self._tls = _tls(broker)
        self._events: queue.Queue[Event] = queue.Queue(MAX_EVENTS)
        self._closing = threading.Event()
        self._client: paho.Client | None = None
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
                _publish(client, farewell).wait_for_publish(timeout=2.0)
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
        info = _publish(client, message)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise Unavailable(f"not published: {paho.error_string(info.rc)}")
        return info.mid

    def event(self, timeout_s: float) -> Event | None:
        """Wait for what happens next; None where nothing did."""
        try:
            return self._events.get(timeout=timeout_s) if timeout_s > 0 else self._events.get_nowait()
        except queue.Empty:
            return None

    def acknowledge(self, received: Received) -> None:
        """Tell the broker that `received` is done with; one of an older connection is the broker's again and left alone."""
        client = self._client
        if client is not None and received.connection == self._connection:
            client.ack(received.mid, received.qos)

    def _put(self, event: Event) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(queue.Full):  # the service is busy: let TCP slow the broker down
                self._events.put(event, timeout=0.5)
                return

    def _stay_connected(self) -> None:
        away_since_s = time.monotonic()
        told = ""
        while not self._closing.is_set():
            attempt = _Attempt()
            self._connect(attempt)
            attempt.ended.wait()
            self.trouble = attempt.reason
            self._hang_up()
            if attempt.is_up:
                told = ""
                away_since_s = time.monotonic()
                self._put(Lost(attempt.reason))
            if self._closing.is_set():
                return
            if not told or (attempt.is_refused and attempt.reason != told):
                where = f"{self._broker.host}:{self._broker.port}"
                log.warning("no broker at %s: %s; trying again until it answers", where, attempt.reason)
                told = attempt.reason
            self._closing.wait(pause_s(time.monotonic() - away_since_s, self._place))

    def _connect(self, attempt: "_Attempt") -> None:
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

    def _new_client(self, connection: int, attempt: "_Attempt") -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
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
        def on_connect(connected: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
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

        def on_message(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
            self._put(Received(_from_paho(message), message.mid, message.qos, connection))

        def on_publish(_client: paho.Client, _data: Any, mid: int, code: ReasonCode, _properties: Any) -> None:
            self._put(Confirmed(mid, code.value))

        client.on_connect = on_connect
        client.on_subscribe = on_subscribe
        client.on_disconnect = on_disconnect
        client.on_message = on_message
        client.on_publish = on_publish
        return client

    def _ready(self, attempt: "_Attempt") -> None:
        attempt.is_up = True
        self._put(Connected())
        attempt.settled.set()


class _Attempt:
    """One connection: whether it came up, and why it ended."""

    def __init__(self) -> None:
        self.settled = threading.Event()  # up, or ended before it was
        self.ended = threading.Event()
        self.is_up = False  # and stays so: whoever was told Connected is told Lost
        self.is_refused = False
        self.reason = ""

    def end(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.ended.set()
        self.settled.set()

    def refuse(self, reason: str) -> None:
        self.is_refused = True
        self.end(reason)


def _publish(client: paho.Client, message: Message) -> paho.MQTTMessageInfo:
    properties = Properties(PacketTypes.PUBLISH)
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
    return client.publish(message.topic, message.payload, qos=1, retain=message.retain, properties=properties)


def _from_paho(message: paho.MQTTMessage) -> Message:
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


def _tls(broker: BrokerConfig) -> ssl.SSLContext | None:
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
