"""Whatever a gateway sends, ingest goes on serving the others; what it cannot use lies in the quarantine, with its reason."""

import itertools
import random
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bench.poison import GOOD, laboratory, messages_of
from hoflicht import Reading, cli, senml, topics
from hoflicht.batch import STORED
from hoflicht.broker import BrokerConfig
from store.readings import open_store
from tests.conftest import Mosquitto, free_port
from tests.roles import Role, eventually, write_ingest
from tests.test_ingest import NOW, Gateway, get, passage

PATIENCE_S = 60.0
BATCHES = 300  # with each kind of nonsense once


@pytest.mark.live
def test_every_bad_one_is_set_aside_with_its_fault_and_no_good_one(tmp_path: Path) -> None:
    simple, bad = messages_of(0, BATCHES, is_poisoned=True, is_mixed=False)
    mixed, more = messages_of(1, BATCHES, is_poisoned=True, is_mixed=True)

    with laboratory(tmp_path) as lab:
        lab.send([*simple, *mixed])

        assert lab.stored() == 2 * BATCHES * GOOD
        assert lab.quarantined() == (bad + more, 0)


# --- A thousand messages that no gateway of ours would send

PACK = senml.encode([Reading("hof-nord", "gate-in", "passage", NOW, 1.0)])
ODD_TOPICS = [
    make(name)
    for make in (topics.readings, topics.batches)
    for name in ("", "$SYS", "GW-Hof-Nord", "gw hof", "gw\u00e4\U0001f6a6", "..", "a" * 64, "g" * 60_000, "'; DROP")
]
ODD_PAYLOADS = [
    b"",
    b"\x00",
    b"\xff" * 1_000,
    b"[]",
    b"[{}]",
    b"[" * 100_000,
    b'[{"n":7,"z":' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    b'[{"n":7},{"n":"\xff"}]',
    b'[{"n":"\\ud800","v":1}]',
    b'[{"n":"a/b/passage","v":1e999}]',
    b'[{"bn":"%b"},%b]' % (b"x" * 100_000, b",".join([b'{"n":"y","v":1}'] * 5_000)),
    b"[" + b"{}," * 80_000 + b"{}]",
    b"\x1b[2J<senml/>",
    b"\x00" * 500_000,  # nearly the longest packet that we take
    b"\x00" * 600_000,  # longer: the broker keeps it to itself
]
ODD_PROPERTIES: list[dict[str, Any]] = [
    {},
    {"ContentType": "text/html"},
    {"ContentType": "x" * 60_000},
    {"ResponseTopic": "hoflicht/v1/gw-hof-sued/receipts"},
    {"ResponseTopic": "#"},
    {"ResponseTopic": "a" * 60_000},
    {"CorrelationData": b"\xff" * 65_535},
    {"UserProperty": [("encoding", "brotli")]},
    {"UserProperty": [("encoding", "deflate"), ("encoding", "")]},
    {"UserProperty": [(f"key-{n}", "value" * 20) for n in range(300)]},
    {"ContentType": "\ufeffapplication/senml+json"},
    {"UserProperty": [("\ufeff", "\ufeff")]},
    {"ResponseTopic": "\ufeff"},
    {"PayloadFormatIndicator": 1},
    {"MessageExpiryInterval": 1},
    {"TopicAlias": 1},
]


class Stranger:
    """A paho client that keeps to no rule of ours; counts its PUBACKs."""

    def __init__(self, broker: BrokerConfig) -> None:
        self.confirmed = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="stranger", protocol=paho.MQTTv5)
        self._client.on_publish = self._count
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()

    def send(self, topic: str, payload: bytes, properties: dict[str, Any], retain: bool) -> None:
        packed = Properties(PacketTypes.PUBLISH)
        for name, value in properties.items():
            setattr(packed, name, value)
        self._client.publish(topic, payload, qos=1, retain=retain, properties=packed).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _count(self, *_: object) -> None:
        self.confirmed += 1


def odd_messages(count: int) -> list[tuple[str, bytes, dict[str, Any], bool]]:
    """Each odd thing by itself, then any of them together; large ones seldom, for they are slow to send."""
    rng = random.Random(1)
    usual = topics.readings("gw-hof-nord")
    alone = [
        *((topic, PACK, {}, False) for topic in ODD_TOPICS),
        *((usual, payload, {}, False) for payload in ODD_PAYLOADS),
        *((usual, zlib.compress(payload), {"UserProperty": [("encoding", "deflate")]}, False) for payload in ODD_PAYLOADS),
        *((usual, PACK, properties, retain) for properties in ODD_PROPERTIES for retain in (False, True)),
    ]
    small = [payload for payload in ODD_PAYLOADS if len(payload) < 2_000]
    mixed = (
        (rng.choice([usual, *ODD_TOPICS]), rng.choice([PACK, *small]), rng.choice(ODD_PROPERTIES), rng.random() < 0.1)
        for _ in itertools.count()
    )
    return [*alone, *itertools.islice(mixed, count - len(alone))]


@pytest.mark.live
def test_a_thousand_odd_messages_are_acknowledged_and_the_good_ones_served(
    broker: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    store_url = f"sqlite:///{tmp_path}/readings.db"
    messages = odd_messages(1_000)
    config = write_ingest(tmp_path, broker.config, store_url, http_port=port)
    with (
        Role(tmp_path, "ingest", config) as ingest,
        Gateway(broker.config, "gw-hof-sued") as good,
        closing(Stranger(broker.config)) as stranger,
    ):
        assert eventually(lambda: get(port, "/healthz")[0] == 200)
        for n, message in enumerate(messages):
            stranger.send(*message)
            if n % 20 == 0:
                good.send(n, passage(n, site="hof-sued"))
                assert good.receipt(n) == STORED, message[2]
        # More than the broker gives us at once: had odd messages no PUBACK from ingest, these would wait for ever.
        for n in range(1_000, 1_040):
            good.send(n, passage(n, site="hof-sued"))
            assert good.receipt(n) == STORED

        assert stranger.confirmed == 1_000
        assert ingest.stop() == 0
    with closing(open_store(store_url)) as store:
        assert len(store.read("hof-sued", ["passage"], NOW, NOW + 10_000)) == 90
    assert [cli.main(["quarantine", action, str(config)]) for action in ("list", "show", "retry")] == [0, 0, 0]
    assert "\x1b" not in capsys.readouterr().out
