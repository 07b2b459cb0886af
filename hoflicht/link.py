"""One connection of paho's client, with a shorter way for what comes and goes by the thousand.

paho asks the kernel for each byte of a packet's head, sends each packet by itself and looks each property up by its name. That cost
more than all that ingest does with a batch of twenty readings. Here all that has come is read in one call, and a group of answers
is sent in one. Connecting, keep-alive, TLS and all other packets are paho's; `bench.ingest` has the figures.
"""

import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.exception import MalformedPacket

from hoflicht import packets
from hoflicht.errors import BadPayload
from hoflicht.packets import KIND, PUBACK, PUBLISH, Decoder, Packet, Publish

CHUNK = 64 * 1024  # bytes of one read: some sixty batches


class Link(paho.Client):
    """paho's client; `take` gets what is published to it."""

    def __init__(self, take: Callable[[Publish], None], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._take = take
        self._decoder = Decoder()

    def push(self, ready: bytes) -> None:
        """Send packets that are ready, from any thread."""
        self._packet_queue(PUBACK, ready, 0, 1)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """What paho's loop calls when there is something to read; `max_packets` is paho's, and not looked at."""
        try:
            data = self._sock_recv(CHUNK)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError:
            data = b""
        if not data:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        return self._loop_rc_handle(self._read(data))

    def _read(self, data: bytes) -> MQTTErrorCode:
        try:
            for packet in self._decoder.feed(data):
                if packet.head & KIND == PUBLISH:
                    self._take(packets.publish(packet))
                elif code := self._leave_to_paho(packet):
                    return code
        except (BadPayload, MalformedPacket):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _leave_to_paho(self, packet: Packet) -> MQTTErrorCode:
        self._in_packet["command"] = packet.head
        self._in_packet["remaining_length"] = len(packet.body)
        self._in_packet["packet"] = bytearray(packet.body)
        return self._packet_handle()
