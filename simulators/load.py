"""`hoflicht simulate load`: the gateways of a large city at a real broker, to see what broker, ingest and store make of them."""

import argparse
import itertools
import random
import resource
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from hoflicht import batch, config, logs, stop
from hoflicht.broker import BrokerConfig, Message
from hoflicht.catalogue import City, load_city, sites_by_gateway
from hoflicht.clock import Clock, SystemClock
from hoflicht.config import Strict
from hoflicht.errors import BadConfig
from hoflicht.reading import Reading
from simulators.crowd import NAMED, Crowd, Make, Tally

# What a gateway of 24 lamps sends: 800 values a day of each and 29 a minute of its own health (docs/capacity.md) are 42 a minute,
# and what it has goes twice a minute.
READINGS, EVERY_S = 21, 30.0
LAMPS = 24  # at a gateway that is made up
MOST_GATEWAYS = 50_000  # in one process and from one address: TCP has 64 000 ports for it, and each takes some 20 kB here
LEAST_EVERY_S = 0.1
COMING_PER_S = 200  # gateways; a connection with certificates costs Mosquitto's one core some 2 ms
TELL_S = 5.0
LAST_S = 30.0  # for the last receipts
FILES = 100  # open beside a socket for each gateway
DONE, UNANSWERED = 0, 1
# What a lamp's driver and a gateway say, and between which values.
DRIVER = {
    "level_target": (0.0, 100.0),
    "level_feedback": (0.0, 100.0),
    "level_actual": (0.0, 100.0),
    "active_power": (0.4, 56.0),
    "energy_import": (500.0, 600.0),
    "operating_hours": (8_000.0, 9_000.0),
    "temperature": (10.0, 60.0),
    "lamp_starts": (2_000.0, 2_100.0),
}
HEALTH = {"uptime": (0.0, 1e6), "spool_rows": (0.0, 50.0), "receipt_latency": (0.1, 2.0), "disk_free": (0.5, 0.6)}


class LoadConfig(Strict, frozen=True):
    """Where the broker is, as in the configuration of a role; "{gateway}" in cert_file and key_file is each one's own name."""

    broker: BrokerConfig = BrokerConfig()


def main(argv: list[str]) -> int:
    """Run until the time is over or a signal comes; exit code 1 where a batch had no receipt."""
    asked = _parser().parse_args(argv)
    _check(asked)
    if asked.make:
        _write(asked.city, asked.gateways or 1, asked.lamps)
        return DONE
    logs.to_stderr()
    broker = BrokerConfig() if asked.broker is None else broker_of(asked.broker)
    sites = gateways(load_city(asked.city), asked.gateways)
    open_files(len(sites) + FILES)
    crowd = crowd_of(sites, broker, asked.readings, round(1000 * asked.every), SystemClock(), asked.seed)
    run(crowd, len(sites), asked.seconds, stop.on_signals(), lambda text: sys.stderr.write(f"{text}\n"))
    sys.stdout.write(f"{summary(len(sites), asked.readings, crowd.tally)}\n")
    return exit_code(crowd.tally)


def broker_of(path: Path) -> BrokerConfig:
    """The broker that the file at `path` tells of."""
    return config.load(path, LoadConfig).broker.beside(path)


def gateways(city: City, most: int | None = None) -> dict[str, list[str]]:
    """The first gateways of `city` that have lamps, and these."""
    sites = sites_by_gateway(city)
    lit = ((name, sorted(sites[name] & city.lamps.keys())) for name in city.gateways)
    found = dict(itertools.islice(((name, lamps) for name, lamps in lit if lamps), most))
    if not found or len(found) < (most or 0):
        raise BadConfig(f"the catalogue has {len(found)} gateways with lamps; --make writes one with as many as you want")
    return found


def crowd_of(
    sites: dict[str, list[str]],
    broker: BrokerConfig,
    readings: int,
    every_ms: int,
    clock: Clock,
    seed: int = 1,
    coming_per_s: int = COMING_PER_S,
) -> Crowd:
    """Gateways that come one by one and then send so many readings, every `every_ms` on average."""
    crowd = Crowd(broker, every_ms, clock, seed)
    for number, (name, lamps) in enumerate(sites.items()):
        crowd.add(name, telling(name, lamps, readings, clock, seed), number * 1000 // coming_per_s)
    return crowd


def telling(gateway: str, lamps: Sequence[str], readings: int, clock: Clock, seed: int) -> Make:
    """The batches of a gateway: its lamps and itself in turn, no point twice."""
    chance = random.Random(f"{seed}/{gateway}")
    said = [(lamp, "driver", *one) for lamp in lamps for one in DRIVER.items()] + [
        (gateway, "gateway", *one) for one in HEALTH.items()
    ]
    turns, numbers = itertools.cycle(said), itertools.count(1)

    def made() -> Message:
        first_ms = clock.now_ms() - readings  # a millisecond for each, so that none is another's point
        told = [
            Reading(site, sensor, quantity, first_ms + n, round(chance.uniform(low, high), 1))
            for n, (site, sensor, quantity, (low, high)) in enumerate(itertools.islice(turns, readings))
        ]
        return batch.batch(gateway, b"%d" % next(numbers), told)

    return made


def run(crowd: Crowd, gateways: int, seconds: float, stopping: threading.Event, tell: Callable[[str], object]) -> None:
    """Let the crowd come and send for so long, then wait for the last receipts."""
    end_ms = crowd.now_ms() + round(1000 * seconds)
    told_ms = crowd.now_ms()
    while crowd.now_ms() < end_ms and not stopping.is_set():
        crowd.turn(0.1)
        if crowd.now_ms() - told_ms >= 1000 * TELL_S:
            told_ms = crowd.now_ms()
            tally = crowd.tally
            tell(f"{tally.connected} of {gateways} gateways are there, {tally.batches} batches, {tally.waiting} without a receipt")
    crowd.rest(LAST_S)
    crowd.close()


def open_files(wanted: int) -> None:
    """Allow so many; raise BadConfig where the system does not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if wanted > hard:
        raise BadConfig(f"{wanted} open files are needed and {hard} allowed; see ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def summary(gateways: int, readings: int, tally: Tally) -> str:
    """All of it in one line."""
    return (
        f"{gateways} gateways, {tally.batches * readings} readings in {tally.batches} batches: {tally.stored} stored,"
        f" {tally.refused} refused, {tally.waiting} without a receipt; {tally.repeated} went again, nobody heard {tally.unheard},"
        f" {tally.lost} connections lost; receipts within {tally.percentile_ms(50)} ms (p50), {tally.percentile_ms(99)} ms (p99)"
    )


def exit_code(tally: Tally) -> int:
    """Whether there was something, and all of it was answered."""
    return UNANSWERED if tally.waiting or not tally.batches else DONE


def city_of(gateways: int, lamps: int) -> Iterator[str]:
    """The lines of a catalogue of so many gateways, each with lamps of its own."""
    yield 'name = "Many lamps"\n[gateways]\n'
    names = [(f"gw-{n:05}", [f"lamp-{n:05}-{k:02}" for k in range(lamps)]) for n in range(gateways)]
    yield from (f"{name} = {{ sites = {msgspec.json.encode(own).decode()} }}\n" for name, own in names)
    yield "[lamps]\n"
    for n, (_, own) in enumerate(names):
        yield from (f'{lamp} = {{ street = "Street {n}", lat = 51.4, lon = 6.7 }}\n' for lamp in own)


def _write(path: Path, gateways: int, lamps: int) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.writelines(city_of(gateways, lamps))
    except OSError as cause:
        raise BadConfig(f"{path}: {cause.strerror}; --make writes a new file") from cause


def _check(asked: argparse.Namespace) -> None:
    bounds = {
        "gateways": (1, MOST_GATEWAYS),
        "lamps": (1, 99),
        "readings": (1, batch.MAX_READINGS),
        "every": (LEAST_EVERY_S, 86_400),
    }
    for name, (low, high) in bounds.items():
        told = getattr(asked, name)
        if told is not None and not low <= told <= high:
            raise BadConfig(f"--{name} {told:g}: from {low:g} to {high:g}")
    if asked.readings / 1000 > asked.every / 2:
        raise BadConfig(f"--readings {asked.readings} every {asked.every:g} s: at most one a millisecond in half of that time")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht simulate load",
        description="Thousands of gateways of lamps at a real broker, each a client of its own that awaits its receipts. The last"
        " line tells how many batches were stored and how long their receipts took. The readings are made up: do not aim it at a"
        " store that is in use.",
    )
    parser.add_argument("city", metavar="CITY", type=Path, help="the catalogue that ingest reads, a TOML file")
    parser.add_argument("--make", action="store_true", help="write CITY anew, --gateways with --lamps each, and end")
    parser.add_argument("--gateways", type=int, metavar="N", help="the first so many of the catalogue (default: all with lamps)")
    parser.add_argument("--lamps", type=int, default=LAMPS, metavar="N", help=f"at each gateway, for --make (default: {LAMPS})")
    parser.add_argument(
        "--broker",
        type=Path,
        metavar="FILE",
        help=f"a TOML file with [broker]; {NAMED} in cert_file and key_file is each one's name",
    )
    parser.add_argument("--readings", type=int, default=READINGS, metavar="N", help=f"in a batch (default: {READINGS})")
    parser.add_argument(
        "--every",
        type=float,
        default=EVERY_S,
        metavar="S",
        help=f"between two batches of a gateway, on average (default: {EVERY_S:g})",
    )
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="how long (default: 60)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another number is other values")
    return parser
