"""Thousands of gateways in one thread: each an MQTT 5 client of its own, with one batch under way, its receipt awaited.

A gateway's own program keeps what it has read on disk and fills a window; of a member of the crowd all is in memory, and the next
batch is made when the one before has its receipt. When to come back to a broker that is lost, how long a receipt may take and how
long to wait where nobody listens are the gateway's own rules, so that a crowd in trouble behaves as a city's gateways would.
"""

import functools
import heapq
import itertools
import logging
import random
import selectors
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.flights import LONGEST_SILENCE_MS
from edge.uplink import FIRST_HOLD_MS, REFUSED_BY_BROKER
from hoflicht import batch, topics
from hoflicht.broker import (
    CONNECT_TIMEOUT_S,
    MAX_PACKET,
    NO_MATCHING_SUBSCRIBERS,
    BrokerConfig,
    Message,
    message_of,
    send,
    tls_of,
)
from hoflicht.clock import Clock
from hoflicht.errors import BadPayload
from hoflicht.place import GATEWAY, pause_s

log = logging.getLogger(__name__)

RECEIVE_MAXIMUM = 20  # as a gateway's session
SWEEP_MS = 5_000  # between two looks at who must send a ping: a sixth of the keep-alive
AT_ONCE = 100  # members that go on before we look at what has come: some 20 ms
NAMED = "{gateway}"  # in the name of a file of the broker's configuration: each member has its own

Make = Callable[[], Message]  # the next batch
tls_once = functools.lru_cache(tls_of)  # a context of OpenSSL is some 100 kB: members with the same files share one


class Tally(msgspec.Struct):
    """What happened to all of a crowd."""

    connected: int = 0  # by now
    lost: int = 0  # connections that ended
    batches: int = 0
    stored: int = 0
    refused: int = 0
    repeated: int = 0  # batches that went once more
    unheard: int = 0  # the broker found nobody to give a batch to, or did not take it
    latency_ms: Counter[int] = msgspec.field(default_factory=Counter[int])  # from the first publish to the receipt

    @property
    def waiting(self) -> int:
        """Batches without a receipt."""
        return self.batches - self.stored - self.refused

    def percentile_ms(self, percent: float) -> int:
        """So many per cent of the receipts came within that."""
        wanted = self.latency_ms.total() * percent / 100
        reached = itertools.accumulate(self.latency_ms[ms] for ms in sorted(self.latency_ms))
        return next((ms for ms, count in zip(sorted(self.latency_ms), reached, strict=True) if count >= wanted), 0)


class Crowd:
    """All members, and whose turn it is."""

    def __init__(self, broker: BrokerConfig, every_ms: int, clock: Clock, seed: int = 1) -> None:
        self.tally = Tally()
        self.is_resting = False  # then nobody makes another batch
        self._broker = broker
        self.every_ms = every_ms  # between two batches of a gateway, on average
        self._clock = clock
        self._chance = random.Random(seed)
        self._selector = selectors.DefaultSelector()
        self._members: list[Member] = []
        self._due: list[tuple[int, int, Member]] = []
        self._order = itertools.count()
        self._swept_ms = clock.monotonic_ms()

    def add(self, name: str, make: Make, after_ms: int = 0) -> None:
        """Let a gateway come, in `after_ms`; it sends what `make` makes."""
        member = Member(name, make, self)
        self._members.append(member)
        self.call(member, self.now_ms() + after_ms)

    def turn(self, timeout_s: float) -> None:
        """Do what is due, and take what comes within `timeout_s`."""
        now_ms = self.now_ms()
        for _ in range(AT_ONCE):
            if not self._due or self._due[0][0] > now_ms:
                break
            due_ms, _, member = heapq.heappop(self._due)
            if due_ms == member.due_ms:  # else it was called for another time since
                member.go_on(now_ms)
        if now_ms - self._swept_ms >= SWEEP_MS:
            self._swept_ms = now_ms
            for member in self._members:
                member.keep_alive()
        left_s = (self._due[0][0] - now_ms) / 1000 if self._due else timeout_s
        for key, _ in self._selector.select(max(0.0, min(left_s, timeout_s))):
            key.data.read()

    def rest(self, patience_s: float) -> bool:
        """Make no more batches, and wait for the receipts of those that are under way; whether all came."""
        self.is_resting = True
        end_ms = self.now_ms() + round(1000 * patience_s)
        while self.tally.waiting and self.now_ms() < end_ms:
            self.turn(0.1)
        return not self.tally.waiting

    def resume(self) -> None:
        """Go on after a rest."""
        self.is_resting = False
        for member in self._members:
            member.resume()

    def close(self) -> None:
        """Let all leave in an orderly way."""
        for member in self._members:
            member.leave()
        self._selector.close()

    # What members ask of it

    def now_ms(self) -> int:
        """Monotonic."""
        return self._clock.monotonic_ms()

    def call(self, member: "Member", due_ms: int) -> None:
        """`member` goes on then, and not at the time that was named before."""
        member.due_ms = due_ms
        heapq.heappush(self._due, (due_ms, next(self._order), member))

    def pause_ms(self) -> int:
        """Until a gateway's next batch, drawn anew each time: no two keep in step."""
        return round(self.every_ms * self._chance.uniform(0.5, 1.5))

    def first_ms(self) -> int:
        """Until the first one after a rest: the crowd is evenly spread from its beginning."""
        return round(self.every_ms * self._chance.random())

    def hold_ms(self) -> int:
        """Until it asks again whether somebody listens."""
        return round(FIRST_HOLD_MS * self._chance.uniform(0.8, 1.2))

    def client(self, member: "Member") -> paho.Client:
        """A client for `member`, not yet connected."""
        client = paho.Client(CallbackAPIVersion.VERSION2, member.name, protocol=paho.MQTTv5, reconnect_on_failure=False)
        client.connect_timeout = CONNECT_TIMEOUT_S
        tls = tls_once(_of_its_own(self._broker, member.name))
        if tls is not None:
            client.tls_set_context(tls)

        def on_socket_open(_client: paho.Client, _data: Any, sock: Any) -> None:
            self._selector.register(sock, selectors.EVENT_READ, member)

        def on_socket_close(_client: paho.Client, _data: Any, sock: Any) -> None:
            self._selector.unregister(sock)

        client.on_socket_open, client.on_socket_close = on_socket_open, on_socket_close
        return client

    def connect(self, client: paho.Client) -> None:
        """Begin to connect; raise OSError where nobody answers at all."""
        properties = Properties(PacketTypes.CONNECT)
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = MAX_PACKET
        client.connect(self._broker.host, self._broker.port, GATEWAY.keepalive_s, clean_start=True, properties=properties)


class Member:
    """One gateway: a connection that comes back, and its batch under way."""

    def __init__(self, name: str, make: Make, crowd: Crowd) -> None:
        self.name = name
        self.due_ms = 0
        self._make = make
        self._crowd = crowd
        self._client: paho.Client | None = None
        self._is_up = False
        self._away_since_ms = crowd.now_ms()
        self._batch: Message | None = None  # under way, or to go again
        self._sent_ms = self._next_ms = 0

    def go_on(self, now_ms: int) -> None:
        """Connect, send, or send again: what is due."""
        if self._client is None:
            self._connect(now_ms)
        elif not self._is_up:
            self._drop("it does not answer")
        elif self._batch is not None:
            self._crowd.tally.repeated += 1
            self._send(now_ms)
        elif not self._crowd.is_resting:
            self._batch, self._sent_ms = self._make(), now_ms
            self._next_ms = now_ms + self._crowd.pause_ms()
            self._crowd.tally.batches += 1
            self._send(now_ms)

    def read(self) -> None:
        """Take what the broker has sent."""
        client = self._client
        if client is None:
            return
        client.loop_read()
        while getattr(client.socket(), "pending", int)():  # TLS has read more than the selector knows of
            client.loop_read()
        if client.want_write():
            client.loop_write()

    def keep_alive(self) -> None:
        """Ping where it is time; write what found no room."""
        if self._client is not None:
            self._client.loop_misc()
            if self._client is not None and self._client.want_write():
                self._client.loop_write()

    def resume(self) -> None:
        """Make the next batch some time from now."""
        if self._is_up and self._batch is None:
            self._crowd.call(self, self._crowd.now_ms() + self._crowd.first_ms())

    def leave(self) -> None:
        """Say goodbye."""
        client, self._client = self._client, None
        if client is not None:
            client.on_disconnect = None
            client.disconnect()
            client.loop_write()

    def _send(self, now_ms: int) -> None:
        assert self._client is not None
        assert self._batch is not None
        self._crowd.call(self, now_ms + LONGEST_SILENCE_MS)
        send(self._client, self._batch)

    def _connect(self, now_ms: int) -> None:
        client = self._crowd.client(self)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        self._client = client
        self._crowd.call(self, now_ms + round(1000 * CONNECT_TIMEOUT_S))
        try:
            self._crowd.connect(client)
        except OSError as cause:
            self._drop(str(cause))

    def _drop(self, why: str) -> None:
        """Give the connection up and come back later."""
        log.debug("%s has lost the broker: %s", self.name, why)
        client, self._client = self._client, None
        now_ms = self._crowd.now_ms()
        if self._is_up:
            self._is_up = False
            self._away_since_ms = now_ms
            self._crowd.tally.connected -= 1
            self._crowd.tally.lost += 1
        self._crowd.call(self, now_ms + round(1000 * pause_s((now_ms - self._away_since_ms) / 1000, GATEWAY)))
        if client is not None:
            client.on_disconnect = None
            client.disconnect()

    # What paho calls

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            log.warning("the broker refuses %s: %s", self.name, code)
        else:
            client.subscribe(topics.answers(self.name), options=SubscribeOptions(qos=1))

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        if codes[0].is_failure:
            log.warning("the broker does not let %s read its receipts: %s", self.name, codes[0])
            return
        self._is_up = True
        self._crowd.tally.connected += 1
        self._crowd.call(self, self._crowd.now_ms())

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self._drop(str(code))

    def _on_publish(self, _client: Any, _data: Any, _mid: int, code: ReasonCode, _properties: Any) -> None:
        if self._batch is not None and (code.value == NO_MATCHING_SUBSCRIBERS or code.value >= REFUSED_BY_BROKER):
            self._crowd.tally.unheard += 1
            self._crowd.call(self, self._crowd.now_ms() + self._crowd.hold_ms())

    def _on_message(self, _client: Any, _data: Any, received: paho.MQTTMessage) -> None:
        receipt, tally, now_ms = message_of(received), self._crowd.tally, self._crowd.now_ms()
        if self._batch is None or receipt.correlation != self._batch.correlation:
            return  # of a batch that went twice
        try:
            is_stored = batch.refusal(receipt) is None
        except BadPayload as cause:
            log.warning("%s: %s", self.name, cause)
            return
        tally.stored += is_stored
        tally.refused += not is_stored
        tally.latency_ms[_rounded(now_ms - self._sent_ms)] += 1
        self._batch = None
        self._crowd.call(self, max(now_ms, self._next_ms))


def _rounded(ms: int) -> int:
    """To two digits: so that hours of receipts need a few hundred counters."""
    step: int = 10 ** max(0, len(str(ms)) - 2)
    return ms // step * step


def _of_its_own(broker: BrokerConfig, name: str) -> BrokerConfig:
    """`broker` with the files of this member."""
    if NAMED not in broker.cert_file + broker.key_file:
        return broker
    cert, key = (file.replace(NAMED, name) for file in (broker.cert_file, broker.key_file))
    return msgspec.structs.replace(broker, cert_file=cert, key_file=key)
