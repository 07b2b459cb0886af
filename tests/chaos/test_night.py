"""A night from dusk to dawn in fast motion, through the real gateway and pseudo-terminals, while broker and ingest are killed all
night: the right light for the right reason at every instant, each alarm raised and cleared once, the energy right.

What is right is reckoned here from the program, the sun (another implementation than the gateway's), who passed, and the command.
"""

import datetime as dt
import random
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pytest

from edge import reader
from edge.agent import Agent
from edge.config import load_edge
from hoflicht import shadow, topics
from hoflicht.broker import Connected, Message, Received, Session
from hoflicht.faults import FAULTS
from hoflicht.program import Period, Program, Step, Traffic
from hoflicht.reading import Reading
from hoflicht.shadow import Command, Desired, Duty, Reason
from simulators.luminaire import Fault
from simulators.sun import elevation_deg
from store.readings import open_store
from tests.chaos import report
from tests.chaos.night import SAMPLE_MS, Mishap, NightClock, Plan, Row, Skipping, night, truth
from tests.chaos.town import ask
from tests.conftest import Mosquitto
from tests.roles import Role, broker_table, eventually

pytestmark = [pytest.mark.chaos, pytest.mark.live]

BERLIN = ZoneInfo("Europe/Berlin")
LAT, LON, DUSK_DEG = 51.43, 6.76, -2.0
EVENING = dt.date(2026, 11, 20)  # a Friday
LAMPS, NOMINAL_W = 5, 56.0
FULL, M4, M5 = 100.0, 75.0, 50.0  # a lamp planned for M3
HOLD_MS = 90_000
GRACE_MS = (
    30_000  # a ramp, a question each two seconds; the radar's way is milliseconds, of which the night has a hundred times as many
)
ROUND = 1.03  # a step of the dimming curve is 2.8 % of the light
LONGEST_S = 1_500.0  # of this machine's time
FESTIVAL = (3, 4)  # whom the command means: all that burn by one of the two programs


def ms(clock: str) -> int:
    """An instant of that night, of Duisburg's clocks."""
    time_of_day = dt.time.fromisoformat(clock)
    day = EVENING if time_of_day.hour >= 12 else EVENING + dt.timedelta(days=1)
    return round(dt.datetime.combine(day, time_of_day, BERLIN).timestamp() * 1000)


START_MS, END_MS = ms("16:00"), ms("09:10")  # an hour after dawn all has been told again
MISHAPS = {  # by the alarm that each raises; none for answers that get lost. Nobody skips time while a driver is waited for in vain
    "lamp_unexpected_on": Mishap(Fault.STUCK_ON, (0,), ms("16:10"), ms("16:25")),
    "lamp_failure": Mishap(Fault.LAMP_FAILURE, (1,), ms("18:00"), ms("19:00")),
    "lamp_power_too_high": Mishap(Fault.POWER_TOO_HIGH, (0,), ms("19:00"), ms("20:00")),
    "lamp_power_too_low": Mishap(Fault.POWER_TOO_LOW, (2,), ms("19:00"), ms("20:00")),
    "cycling_failure": Mishap(Fault.CYCLING, (3,), ms("20:00"), ms("21:00")),
    "high_temperature": Mishap(Fault.TOO_HOT, (4,), ms("20:30"), ms("22:30")),
    "dimming_failure": Mishap(Fault.STUCK_LEVEL, (1,), ms("23:30"), ms("00:30")),
    "control_gear_comm_failure": Mishap(Fault.MUTE, (0,), ms("01:00"), ms("01:06")),
    "": Mishap(Fault.HALF_MUTE, (2,), ms("02:00"), ms("03:00")),
    "supply_loss": Mishap(Fault.SUPPLY_LOSS, tuple(range(LAMPS)), ms("04:00"), ms("04:03")),
}
DOOR_MS = (ms("22:00"), ms("22:10"))
COMMAND = Command(id="festival", lamps=("lamp-3", "lamp-4"), percent=30.0, at_ms=ms("02:10"), until_ms=ms("02:40"))
EARLY_MS = 60_000  # a gateway's clock may be so far behind the one that gave the command; it then lasts no longer either
ALARMS = {(f"lamp-{n}", alarm): mishap[2:] for alarm, mishap in MISHAPS.items() if alarm for n in mishap.lamps}
ALARMS["cabinet-1", "cabinet_door_open"] = DOOR_MS
AFTERMATH_MS = 90 * 60_000  # an alarm is over so long after what has caused it: a driver cools, an hour goes by without a start
PROGRAM = Program(
    periods=(
        Period(
            steps=(
                Step(at="dusk", lighting_class="M4"),
                Step(at="23:00", lighting_class="M5"),
                Step(at="05:30", lighting_class="M4"),
            )
        ),
    ),
    traffic=Traffic(lighting_class="M3", hold_s=HOLD_MS / 1000),
)
PLACE = f'street = "Lange Straße", lat = {LAT}, lon = {LON}'
CITY = (
    f'name = "Nachtstadt"\n[cabinets]\ncabinet-1 = {{ {PLACE}, sensors = ["door"] }}\n[lamps]\n'
    + "".join(f"lamp-{n} = {{ {PLACE}, sensors = {['driver'] if n else ['driver', 'traffic']} }}\n" for n in range(LAMPS))
    + '[gateways]\ngw = { sites = ["lamp-*", "cabinet-1"] }\n'
)


class Right(NamedTuple):
    """What a lamp shall do, and why."""

    percent: float
    reason: Reason


def passages() -> tuple[int, ...]:
    """More of them in the evening."""
    rng = random.Random(20)
    at_ms, found = float(START_MS), list[int]()
    while at_ms < END_MS:
        at_ms += rng.expovariate(1 / (240_000 if ms("15:30") <= at_ms < ms("22:00") else 1_200_000))
        found.append(round(at_ms))
    return tuple(found)


PASSAGES_MS = passages()


def right(lamp: int, at_ms: int) -> Right:
    """Reckoned from what is known here."""
    if lamp in FESTIVAL and COMMAND.at_ms - EARLY_MS <= at_ms < COMMAND.until_ms - EARLY_MS:
        return Right(30.0, Reason.OVERRIDE)
    if elevation_deg(at_ms, LAT, LON) > DUSK_DEG:
        return Right(0.0, Reason.PROGRAM)
    n = bisect_right(PASSAGES_MS, at_ms)
    if n and at_ms - PASSAGES_MS[n - 1] < HOLD_MS:
        return Right(FULL, Reason.SENSOR)
    return Right(M5 if ms("23:00") <= at_ms < ms("05:30") else M4, Reason.PROGRAM)


def around(lamp: int, at_ms: int) -> list[Right]:
    """What was right at some time near `at_ms`."""
    edges = [COMMAND.at_ms - EARLY_MS, COMMAND.until_ms - EARLY_MS, ms("23:00"), ms("05:30")]
    first = bisect_left(PASSAGES_MS, at_ms - GRACE_MS - HOLD_MS)
    edges += [edge for passed in PASSAGES_MS[first : first + 40] for edge in (passed, passed + HOLD_MS)]
    near = [at_ms - GRACE_MS, at_ms, at_ms + GRACE_MS, *(edge for edge in edges if abs(edge - at_ms) <= GRACE_MS)]
    return [right(lamp, each) for each in near]


def is_spoilt(lamp: int, at_ms: int) -> bool:
    """Whether something was wrong with the lamp that keeps it from the right level, or just was."""
    harmless = (Fault.POWER_TOO_HIGH, Fault.POWER_TOO_LOW, Fault.HALF_MUTE)
    return any(
        lamp in mishap.lamps and mishap.from_ms - GRACE_MS <= at_ms < mishap.until_ms + 60_000 + GRACE_MS
        for mishap in MISHAPS.values()
        if mishap.fault not in harmless
    ) or (lamp == 4 and ms("20:30") <= at_ms < ms("23:59"))  # derated until it has cooled


def kill_again_and_again(parts: list[Mosquitto | Role], ending: threading.Event) -> None:
    """Broker and ingest, every other second, until `ending`; then they run."""
    rng = random.Random(7)
    while not ending.wait(rng.uniform(1.0, 3.0)):
        part = rng.choice(parts)
        part.kill()
        ending.wait(rng.uniform(0.5, 2.0))
        part.start()


def test_one_night_on_a_street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "READ_S", 0.01)  # the radar is asked once a minute of the night
    (tmp_path / "city.toml").write_text(CITY)
    (tmp_path / "token").touch(mode=0o600)
    plan = Plan(END_MS, NOMINAL_W, LAMPS, tuple(MISHAPS.values()), PASSAGES_MS, DOOR_MS)
    started_s = time.monotonic()
    with ExitStack() as stack:
        broker = Mosquitto(tmp_path)
        stack.callback(broker.kill)
        broker.start()
        ingest = stack.enter_context(Role(tmp_path, "ingest", write_ingest(tmp_path, broker)))
        desire(broker)
        clock = NightClock.at(START_MS)
        goes_on = stack.enter_context(night(plan, clock, tmp_path))
        stopping = Skipping(clock)
        agent = Agent(load_edge(write_edge(tmp_path, broker)), clock)
        gateway = threading.Thread(target=agent.run, args=[stopping], name="gateway")
        gateway.start()
        stack.callback(stopping.set)
        killing = threading.Event()
        killer = threading.Thread(target=kill_again_and_again, args=[[broker, ingest], killing], name="killer")
        stack.callback(killing.set)
        assert eventually((tmp_path / "gw.db-light").exists)
        killer.start()
        while goes_on() and time.monotonic() - started_s < LONGEST_S:
            time.sleep(0.5)
        killing.set()
        killer.join()
        took_s = time.monotonic() - started_s
        eventually(lambda: all_is_told(tmp_path / "gw.db"), 120)
        stopping.set()
        gateway.join()
        rows = truth(tmp_path)
        with closing(open_store(f"sqlite:///{tmp_path}/readings.db")) as store:
            told = ("light_reason", "energy_import", *FAULTS)
            sites = (*(f"lamp-{n}" for n in range(LAMPS)), "cabinet-1")
            readings = {site: store.read(site, told, START_MS, END_MS) for site in sites}

    wrong_light, judged = wrong_light_of(rows)
    wrong_reasons = [fault for n in range(LAMPS) for fault in wrong_reasons_of(n, readings[f"lamp-{n}"])]
    alarms = {key: changes(each) for key, each in by_fault(readings).items()}
    wrong_alarms = [complaint for key in {*alarms, *ALARMS} if (complaint := not_once(key, alarms.get(key, [])))]
    energy = {n: energy_kwh(readings[f"lamp-{n}"]) for n in range(LAMPS)}
    drawn = {n: (rows[-1].energy_wh[n] - rows[0].energy_wh[n]) / 1000 for n in range(LAMPS)}
    worst_energy = max(abs(energy[n] / drawn[n] - 1) for n in range(LAMPS))
    report.add(
        "night",
        took_s=round(took_s),
        times_as_fast=round((rows[-1].at_ms - rows[0].at_ms) / 1000 / took_s),
        lamps=LAMPS,
        instants_judged=judged,
        wrong_light=len(wrong_light),
        wrong_reasons=len(wrong_reasons),
        alarms=sum(value == 1 for each in alarms.values() for _, value in each),
        readings=sum(len(each) for each in readings.values()),
        worst_energy_percent=round(100 * worst_energy, 2),
    )
    assert rows[-1].at_ms > END_MS - 2 * SAMPLE_MS
    assert judged > 0.85 * LAMPS * (END_MS - START_MS) / SAMPLE_MS
    assert (wrong_light[:5], wrong_reasons[:5], wrong_alarms) == ([], [], [])
    assert worst_energy < 0.01


def wrong_light_of(rows: list[Row]) -> tuple[list[str], int]:
    """Where a lamp's light was outside of what was right around that instant; how many instants were judged."""
    wrong, judged = [], 0
    for row in rows:
        for lamp, percent in enumerate(row.percent):
            if is_spoilt(lamp, row.at_ms) or row.at_ms < START_MS + GRACE_MS:
                continue
            judged += 1
            allowed = [each.percent for each in around(lamp, row.at_ms)]
            if not min(allowed) / ROUND <= percent <= max(allowed) * ROUND:
                wrong.append(f"{clock_of(row.at_ms)} lamp-{lamp} {percent:.1f} %, right: {sorted(set(allowed))}")
    return wrong, judged


def wrong_reasons_of(lamp: int, readings: list[Reading]) -> Iterator[str]:
    """Where the gateway named another reason than the right one around that instant."""
    told = [reading for reading in readings if reading.quantity == "light_reason"]
    for at_ms in range(START_MS + 60_000, END_MS, SAMPLE_MS):
        n = bisect_right(told, at_ms, key=lambda reading: reading.at_ms)
        if n == 0 or told[n - 1].value not in {each.reason for each in around(lamp, at_ms)}:
            yield f"{clock_of(at_ms)} lamp-{lamp}: {told[n - 1].value if n else 'none'}"


def by_fault(readings: dict[str, list[Reading]]) -> dict[tuple[str, str], list[Reading]]:
    """What was told of each fault of each site."""
    found: dict[tuple[str, str], list[Reading]] = {}
    for site, each in readings.items():
        for reading in each:
            if reading.quantity in FAULTS:
                found.setdefault((site, reading.quantity), []).append(reading)
    return found


def changes(told: list[Reading]) -> list[tuple[int, float]]:
    """The instants at which a state became another."""
    return [(each.at_ms, each.value) for n, each in enumerate(told) if n == 0 or each.value != told[n - 1].value]


def not_once(key: tuple[str, str], told: list[tuple[int, float]]) -> str:
    """Why an alarm was not raised and cleared once, each in time; empty where it was, or where it was none."""
    if told and told[0][1] == 0.0:  # the first word on what is well; none where something was wrong from the first
        told = told[1:]
    if [value for _, value in told] != ([1.0, 0.0] if key in ALARMS else []):
        return f"{key}: {[(clock_of(at_ms), value) for at_ms, value in told]}"
    if key not in ALARMS:
        return ""
    (from_ms, until_ms), (raised_ms, cleared_ms) = ALARMS[key], (told[0][0], told[1][0])
    is_in_time = from_ms <= raised_ms < until_ms <= cleared_ms < until_ms + AFTERMATH_MS
    return "" if is_in_time else f"{key}: raised {clock_of(raised_ms)}, cleared {clock_of(cleared_ms)}"


def energy_kwh(readings: list[Reading]) -> float:
    """What the meter in the driver counted that night."""
    told = [reading.value for reading in readings if reading.quantity == "energy_import"]
    return told[-1] - told[0]


def clock_of(at_ms: int) -> str:
    return dt.datetime.fromtimestamp(at_ms / 1000, BERLIN).strftime("%H:%M:%S")


def write_ingest(folder: Path, broker: Mosquitto) -> Path:
    path = folder / "ingest.toml"
    path.write_text(
        f'city = "city.toml"\nquarantine = "quarantine.db"\n{broker_table(broker.config)}[store]\nurl = "sqlite:///{folder}/readings.db"\n'
    )
    return path


def all_is_told(spool: Path) -> bool:
    """Whether nothing lies in the spool, and nothing has come into it from memory meanwhile."""

    def is_empty() -> bool:
        return ask(spool, "SELECT count(*) FROM readings") == 0

    if not is_empty():
        return False
    time.sleep(2)  # what was read last is on its way to the disk for half a second
    return is_empty()


def write_edge(folder: Path, broker: Mosquitto) -> Path:
    ports = f'[ports.radar]\npath = "{folder}/radar"\ndriver = "ops243"\nsite = "lamp-0"\nsensor = "traffic"\n'
    ports += f'[ports.node]\npath = "{folder}/node"\ndriver = "node"\n'
    lamps = "".join(f'[lamps.lamp-{n}]\nline = "dali"\naddress = {n}\n' for n in range(LAMPS))
    path = folder / "gw.toml"
    path.write_text(
        f'gateway = "gw"\nclock = "system"\n{broker_table(broker.config)}[spool]\npath = "gw.db"\npatience_s = 0\n'
        f'[health]\nevery_s = 3600\nalive_every_s = 0\n{ports}[light]\nlat = {LAT}\nlon = {LON}\nzone = "Europe/Berlin"\n'
        f'[lines.dali]\npath = "{folder}/dali"\n{lamps}'
    )
    return path


def desire(broker: Mosquitto) -> None:
    """Tell the gateway once what its lamps shall do; the first broker that is killed forgets it."""
    duty = Duty(lighting_class="M3", nominal_power_w=NOMINAL_W, traffic=("lamp-0/traffic",))
    sides = ("left", "left", "left", "right", "right")  # two programs that say the same, so that the drivers are two groups
    lamps = {f"lamp-{n}": msgspec.structs.replace(duty, program=side) for n, side in enumerate(sides)}
    desired = Desired(version=START_MS, programs=dict.fromkeys(sides, PROGRAM), lamps=lamps, commands=(COMMAND,))
    with Session(broker.config, "city", [topics.desired("gw", topics.LIGHT)]) as session:
        assert isinstance(session.event(30.0), Connected)
        session.publish(Message(topic=topics.desired("gw", topics.LIGHT), payload=shadow.encode(desired), retain=True))
        while not isinstance(session.event(30.0), Received):
            pass
