"""Faults of a lamp: raised once, cleared once for each incident, whatever noise there is at the threshold."""

import math
import random
from collections.abc import Callable, Iterable

import msgspec
import pytest

from edge.bus import Silence
from edge.faults import CYCLES_MS, RULES, Faults, Seen, Starts
from firmware_bridge import dali
from hoflicht.faults import FAULTS
from tests.conftest import ROOT

MINUTE_MS = 60_000
ON = dali.status(0b100)
WELL = Seen(
    silence=None,
    line_is_silent=False,
    sent=254,
    is_steady=True,
    actual=254,
    status=ON,
    power_w=40.0,
    measures_power=True,
    nominal_w=40.0,
    cycles=0,
    temperature_cel=45.0,
    has_failed=False,
    is_derated=False,
)
OFF = msgspec.structs.replace(WELL, sent=0, actual=0, status=dali.status(0), power_w=0.5)
GONE = msgspec.structs.replace(WELL, silence=Silence.NO, actual=None, status=None, power_w=None)


def but(seen: Seen = WELL, **changes: object) -> Seen:
    return msgspec.structs.replace(seen, **changes)


INCIDENTS: dict[str, tuple[Seen, Seen]] = {  # how it is seen, how it is seen to be over
    "supply_loss": (but(GONE, silence=Silence.NO_POWER), WELL),
    "control_gear_comm_failure": (GONE, WELL),
    "high_temperature": (but(temperature_cel=86.0), WELL),
    "cycling_failure": (but(cycles=3), WELL),
    "lamp_failure": (but(actual=None, status=dali.status(0b10)), WELL),
    "lamp_unexpected_on": (but(OFF, actual=254, power_w=40.0), OFF),
    "dimming_failure": (but(sent=170), but(sent=170, actual=170, power_w=4.4)),
    "lamp_power_too_high": (but(power_w=60.0), WELL),
    "lamp_power_too_low": (but(power_w=20.0), WELL),
}


class Watch:
    """Judges each second, and counts how often a fault came and went."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.now_ms = 0
        self.changes: list[tuple[str, bool]] = []

    def see(self, seen: Seen | Callable[[int], Seen], minutes: float) -> None:
        for n in range(round(60 * minutes)):
            before = dict(self.faults.raised)
            self.faults.judge(seen(n) if callable(seen) else seen, self.now_ms)
            self.changes += [change for change in self.faults.raised.items() if before.get(change[0]) is not change[1]]
            self.now_ms += 1_000

    def raised(self) -> set[str]:
        return {name for name, is_raised in self.faults.raised.items() if is_raised}

    def incidents(self) -> list[tuple[str, bool]]:
        """Without the first word of what is well."""
        seen: set[str] = set()
        told = []
        for name, is_raised in self.changes:
            if is_raised or name in seen:
                told.append((name, is_raised))
            seen.add(name)
        return told


def test_each_of_talqs_faults_of_a_lamp_has_a_rule() -> None:
    assert set(RULES) == set(INCIDENTS) == set(FAULTS) - {"cabinet_door_open", "communication_failure"}


@pytest.mark.parametrize("name", INCIDENTS)
def test_an_incident_is_raised_once_and_cleared_once(name: str) -> None:
    bad, good = INCIDENTS[name]
    watch = Watch()
    watch.see(good, 15)

    watch.see(bad, 15)
    assert watch.raised() == {name}
    watch.see(good, 35)

    assert watch.incidents() == [(name, True), (name, False)]


def test_a_lamp_that_is_well_has_no_fault_by_day_or_night() -> None:
    watch = Watch()
    watch.see(WELL, 60)
    watch.see(OFF, 60)
    watch.see(but(WELL, sent=170, actual=170, power_w=4.4), 60)

    assert watch.raised() == set()


NOISY: dict[str, Callable[[random.Random], Seen]] = {
    "high_temperature": lambda rng: but(temperature_cel=rng.gauss(85, 2)),
    "lamp_power_too_high": lambda rng: but(power_w=rng.gauss(1.25 * 40 + 3, 0.7)),
    "lamp_power_too_low": lambda rng: but(power_w=rng.gauss(0.75 * 40 - 3, 0.7)),
    "lamp_failure": lambda rng: but(status=rng.choice([None, dali.status(0b10)]), actual=None),
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", NOISY)
def test_noise_at_the_threshold_raises_once_and_clears_once(name: str, seed: int) -> None:
    watch, rng = Watch(), random.Random(seed)
    watch.see(WELL, 15)

    watch.see(lambda _: NOISY[name](rng), 30)
    watch.see(WELL, 15)

    assert watch.incidents() == [(name, True), (name, False)]


def test_a_temperature_that_swings_about_the_limit_with_each_hour_is_one_incident() -> None:
    watch = Watch()
    watch.see(WELL, 15)

    watch.see(lambda n: but(temperature_cel=85 + 5 * math.sin(2 * math.pi * n / 3_600)), 600)
    watch.see(WELL, 15)

    assert watch.incidents() == [("high_temperature", True), ("high_temperature", False)]


def test_a_line_that_loses_half_of_its_answers_has_no_fault() -> None:
    rng = random.Random(1)
    watch = Watch()

    watch.see(lambda _: rng.choice([WELL, GONE]), 600)

    assert watch.raised() == set()


def test_a_power_that_was_measured_once_is_no_fault() -> None:
    watch = Watch()
    watch.see(WELL, 5)

    watch.see(lambda n: but(power_w=60.0 if n == 0 else None), 10)

    assert watch.raised() == set()


@pytest.mark.parametrize(
    ("worse", "seen", "silent"),
    [
        ("supply_loss", but(GONE, line_is_silent=True), "control_gear_comm_failure"),
        ("lamp_failure", but(has_failed=True, power_w=2.0), "lamp_power_too_low"),
        ("lamp_failure", but(has_failed=True, actual=100), "dimming_failure"),
        ("high_temperature", but(is_derated=True, power_w=20.0), "lamp_power_too_low"),
        ("high_temperature", but(is_derated=True, actual=0, power_w=0.5), "lamp_failure"),
        ("cycling_failure", but(cycles=3, actual=0), "lamp_failure"),
    ],
)
def test_a_worse_fault_explains_a_lesser_one_away(worse: str, seen: Seen, silent: str) -> None:
    watch = Watch()

    watch.see(seen, 30)

    assert watch.raised() == {worse}
    assert silent not in watch.raised()


def test_of_a_driver_that_does_not_answer_nothing_else_is_said() -> None:
    watch = Watch()
    watch.see(GONE, 5)

    watch.see(but(GONE, has_failed=True, temperature_cel=99.0), 30)

    assert watch.raised() == {"control_gear_comm_failure"}


def test_a_fault_that_is_masked_stays_as_it_was() -> None:
    watch = Watch()
    watch.see(but(has_failed=True), 5)

    watch.see(GONE, 10)
    watch.see(but(has_failed=True), 5)

    assert [change for change in watch.changes if change[0] == "lamp_failure"] == [("lamp_failure", True)]


def test_a_lamp_that_failed_is_not_well_because_it_is_day() -> None:
    watch = Watch()
    watch.see(but(actual=0, power_w=0.5), 5)

    watch.see(OFF, 600)
    assert watch.raised() == {"lamp_failure"}
    watch.see(WELL, 5)

    assert watch.raised() == set()


def test_a_day_burner_that_reports_off_is_found_by_its_power() -> None:
    watch = Watch()

    watch.see(but(OFF, power_w=40.0), 5)

    assert watch.raised() == {"lamp_unexpected_on"}


def test_a_lamp_that_is_asked_for_the_level_at_which_it_is_stuck_does_not_dim_well_by_that() -> None:
    watch = Watch()
    watch.see(but(sent=170, power_w=None), 2)
    for _ in range(5):  # cars pass
        watch.see(WELL, 2)
        watch.see(but(sent=170, power_w=None), 5)
    watch.see(WELL, 60)
    watch.see(but(sent=170, actual=170, power_w=4.4), 2)

    assert watch.incidents() == [("dimming_failure", True), ("dimming_failure", False)]


def test_a_level_that_the_driver_cannot_go_to_is_no_failure_to_dim() -> None:
    watch = Watch()

    watch.see(but(sent=1, actual=85, status=dali.status(0b1100), power_w=0.9), 60)

    assert watch.raised() == set()


def test_after_a_restart_nothing_is_said_of_what_was_not_seen_yet() -> None:
    watch = Watch()

    watch.see(OFF, 60)
    watch.see(WELL, 0.5)

    assert not watch.faults.raised.keys() & {"lamp_failure", "cycling_failure", "dimming_failure"}
    assert watch.faults.raised["lamp_unexpected_on"] is False


def starts(counts: Iterable[tuple[int, int]], every_ms: int = 5 * MINUTE_MS) -> tuple[Starts, int]:
    own, now_ms = Starts(), 0
    for counted, asked_for in counts:
        own.take(counted, asked_for, now_ms)
        now_ms += every_ms
    return own, now_ms


def test_starts_that_were_asked_for_are_no_cycles() -> None:
    own, now_ms = starts([(500, 1), (502, 2), (505, 3), (505, 0)])

    assert own.within(now_ms) == 0


def test_starts_that_nobody_asked_for_are_counted_for_half_an_hour() -> None:
    own, now_ms = starts([(500, 0), (501, 0), (502, 0), (504, 1)])

    assert own.within(now_ms) == 3
    assert own.within(CYCLES_MS + 2 * 5 * MINUTE_MS) == 1


def test_a_lamp_that_cycles_now_faster_now_slower_is_one_incident() -> None:
    own, watch, counted = Starts(), Watch(), 500

    def seen(_: int) -> Seen:
        own.take(counted + sum(watch.now_ms >= at_ms for at_ms in at), 0, watch.now_ms)
        return but(cycles=own.within(watch.now_ms))

    at = [minute * MINUTE_MS for minute in (60, 65, 70, 95, 120, 145, 147, 149, 175)]
    watch.see(seen, 400)

    assert watch.incidents() == [("cycling_failure", True), ("cycling_failure", False)]


def test_a_driver_that_was_replaced_starts_its_count_anew() -> None:
    own, now_ms = starts([(50_000, 0), (3, 0), (3, 0)])

    assert own.within(now_ms) == 0


SHORT = {"supply": "supply_loss", "comm": "control_gear_comm_failure", "temperature": "high_temperature"}
SHORT |= {"cycling": "cycling_failure", "failure": "lamp_failure"}


def test_the_document_says_what_the_rules_say() -> None:
    rows = [row.split(" | ") for row in (ROOT / "docs/faults.md").read_text(encoding="utf-8").splitlines() if row.startswith("| `")]

    written = {cells[0].strip("| `"): cells[3:] for cells in rows}
    assert {
        name: (raised, cleared, {SHORT[mask] for mask in masks.strip(" |").split(", ") if mask})
        for name, (raised, cleared, masks) in written.items()
    } == {name: (f"{rule.raise_ms // 1000} s", f"{rule.clear_ms // 1000} s", set(rule.masked_by)) for name, rule in RULES.items()}
