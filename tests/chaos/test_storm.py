"""Two thousand gateways come back after the broker was restarted: evenly, and all are served again."""

import asyncio
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos import report
from tests.chaos.light import LightGateway, in_each_second
from tests.chaos.town import Broker, Part
from tests.roles import broker_table

GATEWAYS = 2_000
OUTAGES_S = (0.5, 20.0)  # a restart, and one after which each gateway has tried several times
SERVED_AFTER_S = 120.0
PEAK = 3.0  # times the mean
MOST_PER_S = 400  # a connection with certificates costs Mosquitto's one core some 2 ms
LOOK_S = 0.1
FILES = 3 * GATEWAYS  # open at once: a socket of each here, and one in the broker

pytestmark = [pytest.mark.chaos, pytest.mark.live]


@pytest.fixture
def many_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], FILES), max(before[1], FILES)))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def write_ingest(folder: Path, broker: Broker) -> Path:
    """Ingest with a catalogue of that many gateways."""
    (folder / "city.toml").write_text(
        'name = "Many"\n[lamps]\nlamp-1 = { street = "A", lat = 51.4, lon = 6.7 }\n[gateways]\n'
        + "".join(f'{name} = {{ sites = ["lamp-1"] }}\n' for name in names())
    )
    path = folder / "ingest.toml"
    path.write_text(f'city = "city.toml"\n{broker_table(broker.config)}[store]\nurl = "sqlite:///{folder / "readings.db"}"\n')
    return path


def names() -> list[str]:
    return [f"gw-{n:04d}" for n in range(GATEWAYS)]


async def until(is_so: Callable[[], bool], timeout_s: float) -> None:
    """Return once it is so, or time is up."""
    for _ in range(int(timeout_s / LOOK_S)):
        if is_so():
            return
        await asyncio.sleep(LOOK_S)


async def storms(broker: Broker) -> list[dict[str, float]]:
    """Let all come, take the broker away, and see how they come back."""
    gateways = [LightGateway(name, broker.config.port) for name in names()]
    lives = [asyncio.create_task(gateway.run()) for gateway in gateways]

    def all_served() -> bool:
        return all(gateway.served_s is not None for gateway in gateways)

    figures: list[dict[str, float]] = []
    await until(all_served, SERVED_AFTER_S)
    for outage_s in OUTAGES_S:
        broker.kill()
        await until(lambda: not any(gateway.connected_s for gateway in gateways), outage_s)
        await asyncio.sleep(outage_s)
        back_s = time.monotonic()
        await asyncio.to_thread(broker.start)
        await until(all_served, SERVED_AFTER_S)
        came_s = {gateway.name: gateway.connected_s for gateway in gateways if gateway.connected_s is not None}
        served_s = [gateway.served_s for gateway in gateways if gateway.served_s is not None]
        mean = len(came_s) / (max(came_s.values()) - min(came_s.values()))
        figures.append(
            {
                "outage_s": outage_s,
                "served": len(served_s),
                "served_in_s": round(max(served_s) - back_s, 1),
                "mean_per_s": round(mean),
                "peak_per_s": max(in_each_second(came_s)),
            }
        )
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)
    return figures


def test_two_thousand_gateways_come_back_evenly_and_are_served_again(tmp_path: Path, many_files: None) -> None:
    broker = Broker(tmp_path)
    broker.start()
    try:
        with Part(tmp_path, "ingest", write_ingest(tmp_path, broker)):
            figures = asyncio.run(storms(broker))
    finally:
        broker.kill()

    report.add("storm", gateways=GATEWAYS, storms=figures)
    assert [storm["served"] for storm in figures] == [GATEWAYS] * len(OUTAGES_S)
    assert max(storm["served_in_s"] for storm in figures) <= SERVED_AFTER_S
    assert max(storm["peak_per_s"] / storm["mean_per_s"] for storm in figures) <= PEAK
    assert max(storm["peak_per_s"] for storm in figures) <= MOST_PER_S
