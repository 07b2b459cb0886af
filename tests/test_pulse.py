"""A store that does not answer the api is told to the log, at any hour, once for each kind of trouble."""

from contextlib import closing

import pytest

from api.health import Pulse
from hoflicht.clock import HandClock
from hoflicht.errors import Refused, Unavailable
from store.readings import open_store
from tests.conftest import Bucket
from tests.face import AwayStore

ROUND_MS = 10_000


def beat(pulse: Pulse, clock: HandClock, times: int = 3) -> None:
    for _ in range(times):
        pulse.beat()
        clock.advance(ROUND_MS)


@pytest.mark.live
def test_a_wrong_token_is_told_once_at_the_start_though_nobody_asks(
    influx: Bucket, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(open_store(influx.store_url, "wrong")) as store:
        beat(Pulse(store, clock), clock)

    [told] = caplog.records
    assert told.levelname == "ERROR"
    assert told.getMessage().startswith("the store refuses us: InfluxDB at ")
    assert "does not accept the token (401" in told.getMessage()
    assert told.getMessage().endswith("put that right, such as the token in [store] token_file, and restart the api")


class Moody(AwayStore):
    """A store that is asked whether it answers."""

    trouble: Unavailable | Refused | None = None

    def ping(self) -> None:
        if self.trouble is not None:
            raise self.trouble


def test_each_change_of_the_trouble_is_told_once(clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    store = Moody()
    pulse = Pulse(store, clock)

    beat(pulse, clock)
    for trouble in (Unavailable("at 0x1"), Unavailable("at 0x2"), Refused("no"), None, Refused("no")):
        store.trouble = trouble
        beat(pulse, clock)

    assert [(one.levelname, one.getMessage()[:24]) for one in caplog.records] == [
        ("WARNING", "the store is away: at 0x"),
        ("ERROR", "the store refuses us: no"),
        ("WARNING", "the store answers again"),
        ("ERROR", "the store refuses us: no"),
    ]
