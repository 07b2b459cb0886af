"""One gateway that publishes as fast as it can does not starve the others."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from hoflicht import Reading, batch, topics
from hoflicht.broker import BrokerConfig, Connected, Received, Session
from tests.conftest import Mosquitto
from tests.roles import Role, eventually, write_ingest

QUIET = ("gw-hof-nord", "gw-hof-sued", "gw-hof-west")
MAD = "gw-strasse"

# Valid batches, as large and as many as the broker takes; no window, no receipt is waited for.
FLOODER = """
import sys, time
from hoflicht import Reading, batch
from hoflicht.broker import BrokerConfig, Connected, Session
from hoflicht.errors import Unavailable

gateway, port, readings = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
now_ms = time.time_ns() // 1_000_000

def message(n):
    times_ms = range(now_ms - n * 1000 - readings, now_ms - n * 1000)
    return batch.batch(gateway, b"%d" % n, [Reading(gateway, "gateway", "uptime", at_ms, 1.0) for at_ms in times_ms])

messages = [message(n) for n in range(50)]
sent = 0
with Session(BrokerConfig(port=port), gateway) as session:
    while not isinstance(session.event(1.0), Connected):
        pass
    print("floods", flush=True)
    while True:
        try:
            session.publish(messages[sent % 50])
        except Unavailable:
            pass
        sent += 1
        while session.event(0) is not None:
            pass
        if sent % 1000 == 0:
            print(sent, flush=True)
"""


class Quiet:
    """A gateway that says something twice a second; `latencies_s` until its receipts."""

    def __init__(self, broker: BrokerConfig, gateway: str) -> None:
        self._gateway = gateway
        self.session = Session(broker, gateway, [topics.answers(gateway)])
        self._sent_s: dict[bytes, float] = {}
        self.latencies_s: list[float] = []

    @property
    def waiting_s(self) -> list[float]:
        """How long those without a receipt wait by now."""
        return [time.monotonic() - sent_s for sent_s in self._sent_s.values()]

    def speak(self) -> None:
        name = str(time.monotonic_ns()).encode()
        reading = Reading(self._gateway, "gateway", "uptime", time.time_ns() // 1_000_000, 1.0)
        self._sent_s[name] = time.monotonic()
        self.session.publish(batch.batch(self._gateway, name, [reading]))

    def listen(self) -> None:
        while (event := self.session.event(0)) is not None:
            if isinstance(event, Received):
                self.session.acknowledge(event)
                sent_s = self._sent_s.pop(event.message.correlation, None)
                if sent_s is not None:
                    self.latencies_s.append(time.monotonic() - sent_s)


@pytest.mark.chaos
@pytest.mark.parametrize("readings", [1, 500])
def test_a_gateway_that_floods_does_not_keep_the_others_waiting(tmp_path: Path, broker: Mosquitto, readings: int) -> None:
    store_url = f"sqlite:///{tmp_path}/readings.db"
    quiet = [Quiet(broker.config, name) for name in QUIET]
    with Role(tmp_path, "ingest", write_ingest(tmp_path, broker.config, store_url)) as ingest:
        assert eventually(lambda: "connected" in ingest.log.read_text())
        for one in quiet:
            one.session.__enter__()
            while not isinstance(one.session.event(1.0), Connected):
                pass
        command = [sys.executable, "-c", FLOODER, MAD, str(broker.config.port), str(readings)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as flooder:
            assert flooder.stdout is not None
            assert flooder.stdout.readline() == b"floods\n"
            until_s = time.monotonic() + 10
            while time.monotonic() < until_s:
                for one in quiet:
                    one.speak()
                pause_s = time.monotonic() + 0.5
                while time.monotonic() < pause_s:
                    for one in quiet:
                        one.listen()
                    time.sleep(0.01)
            flooder.kill()
        for one in quiet:
            one.session.close()

    assert [waited_s for one in quiet for waited_s in one.waiting_s if waited_s > 2] == []
    assert max(latency_s for one in quiet for latency_s in one.latencies_s) < 2
    assert min(len(one.latencies_s) for one in quiet) > 15
    if readings > 1:
        assert f"{MAD} sends without waiting for receipts" in ingest.log.read_text()
