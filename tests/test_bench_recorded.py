"""The bench of recorded queues: what one would pick instead, from the counts alone."""

import datetime as dt
import random
from pathlib import Path

import pytest

from api.estimate.score import Car
from bench.blend import blended
from bench.recorded import ENTRY, EXIT, YARD, Line, Meta, Voices, city_of, load, matched, voices
from hoflicht.errors import BadConfig
from hoflicht.hours import period_on
from hoflicht.reading import Reading

OPENS_S = 1_200_000_000  # 10 January 2008, 21:20 UTC
DAY_S = 86_400
META = Meta("UTC", [(OPENS_S, OPENS_S + DAY_S), (OPENS_S + DAY_S, OPENS_S + 2 * DAY_S)])


def passed(sensor: str, *minutes: float) -> list[Reading]:
    return [Reading(YARD, sensor, "passage", round((OPENS_S + 60 * minute) * 1000), 1.0) for minute in minutes]


def heard(*readings: Reading) -> Line:
    line = Line()
    for reading in sorted(readings, key=lambda each: each.at_ms):
        line.hear(reading)
    return line


def test_who_left_last_had_waited_since_the_first_that_stood_there_joined() -> None:
    line = heard(*passed(ENTRY, 0, 1), *passed(EXIT, 5, 7))

    assert line.les_s == 360.0


def test_the_head_has_waited_since_it_joined() -> None:
    line = heard(*passed(ENTRY, 0, 1), *passed(EXIT, 5))

    assert line.hol_s(OPENS_S + 600) == 540.0


def test_a_queue_takes_one_gap_for_each_that_stands_there_and_one_more() -> None:
    line = heard(*passed(ENTRY, 0, 1, 2, 3, 4), *passed(EXIT, 5, 7, 9))

    assert line.ql_s(OPENS_S + 600) == 3 * 120.0


def test_who_leaves_without_having_been_counted_in_makes_no_queue_below_nothing() -> None:
    line = heard(*passed(EXIT, 1, 2), *passed(ENTRY, 3))

    assert line.hol_s(OPENS_S + 240) == 60.0


def test_each_voice_knows_what_was_counted_before_the_car_and_the_hours_of_earlier_days() -> None:
    days = [passed(ENTRY, 0) + passed(EXIT, 10), []]
    cars = [Car(OPENS_S, 600.0), Car(OPENS_S + DAY_S, 60.0)]

    told = list(voices(days, cars, META))

    assert told == [Voices(OPENS_S, 0.0, 0.0, 0.0, 0.0, 1), Voices(OPENS_S + DAY_S, 0.0, 0.0, 0.0, 600.0, 1)]


def test_the_match_is_what_the_counts_tell_when_all_is_over() -> None:
    days = [sorted(passed(ENTRY, 0, 1) + passed(EXIT, 5, 7), key=lambda each: each.at_ms)]

    assert [(each.time_s - OPENS_S, each.wait_s) for each in matched(days)] == [(0, 300.0), (60, 360.0)]


def test_the_yard_is_open_every_day_as_on_the_first() -> None:
    city = city_of(META)

    period = period_on(dt.date(2008, 1, 11), city.yards[YARD].hours, city)

    assert period is not None
    assert (period.opens.timestamp(), period.closes.timestamp()) == META.open_periods[1]


def test_a_folder_without_a_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"meta\.json"):
        load(tmp_path)


def test_the_plain_stack_listens_to_the_voice_that_came_true() -> None:
    rng = random.Random(1)
    waits_s = [rng.uniform(300, 1_800) for _ in range(400)]
    said = [(rng.uniform(0, 3_600), wait_s / 2) for wait_s in waits_s]

    told_s = list(blended(said, [n * 120.0 for n in range(400)], waits_s))

    assert told_s[200:] == pytest.approx(waits_s[200:], abs=60)


def test_the_plain_stack_knows_no_wait_before_its_end() -> None:
    told_s = list(blended([(600.0,)] * 4, [0.0, 599.0, 1_201.0, 1_202.0], [1_200.0] * 4))

    assert told_s[:2] == [600.0, 600.0]
    assert told_s[2] > 1_000
