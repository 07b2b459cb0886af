"""Until when to come."""

import datetime as dt

import msgspec
import pytest

from api.estimate.arrival import latest, to_come
from api.estimate.day import Day
from api.estimate.events import events
from api.estimate.profile import BINS, COLD, Profile
from api.estimate.voices import Number
from hoflicht.reading import Reading
from tests.lane import AT_CONTROL, GAP_MIN, every, joined, let_in, ms

LAST_ENTRY_MS = ms(570)


def day_at(minute: float, readings: list[Reading], profile: Profile = COLD) -> Day:
    """The yard that counts at its control, told until `minute`."""
    day = Day(AT_CONTROL, ms(0), profile)
    for event in events(AT_CONTROL, sorted(readings, key=lambda reading: reading.at_ms)):
        day.take(event)
    day.pass_until(ms(minute))
    return day


def number(day: Day, margin_s: float) -> Number:
    """What the day tells now, with so much room above the mean."""
    now_s = day.number().mean_s
    return Number(now_s, now_s, now_s, now_s + margin_s)


def latest_minute(day: Day, minute: float, margin_s: float = 0.0) -> float | None:
    found = latest(day, number(day, margin_s), ms(minute), LAST_ENTRY_MS)
    return None if found is None else (found - ms(0)) / 60_000


def usually(per_hour: float) -> Profile:
    """So many cars come, all day, on many days."""
    return msgspec.structs.replace(COLD, days=40, days_kept=30.0, arrivals=(30.0 * per_hour / 4,) * BINS)


def queue(cars: int, start: float) -> list[Reading]:
    """So many join before `start`."""
    return joined(*[start - 0.02 * n for n in range(cars)])


def test_where_nobody_waits_one_may_come_until_the_last_entry() -> None:
    day = day_at(500, [], usually(1.0))

    assert latest_minute(day, 500) == 565  # the last whole five minutes before it


def test_behind_a_queue_that_stays_one_must_come_earlier_by_its_wait() -> None:
    day = day_at(500, queue(30, 500), usually(45.0))

    # As many come as are let in; thirty wait 40 minutes.
    assert latest_minute(day, 500) == pytest.approx(570 - 41, abs=5)


def test_a_queue_that_will_be_gone_by_then_does_not_count() -> None:
    day = day_at(300, queue(30, 300), usually(5.0))

    assert latest_minute(day, 300) == 565


def test_a_queue_that_grows_until_then_does() -> None:
    day = day_at(400, queue(10, 400), usually(60.0))

    found = latest_minute(day, 400)

    assert found is not None
    assert 490 < found < 550  # 10 + 15 an hour more than are let in


def test_who_would_get_in_only_after_the_last_entry_is_too_late() -> None:
    day = day_at(550, queue(30, 550), usually(45.0))

    assert latest_minute(day, 550) is None


def test_who_just_gets_in_now_must_not_wait_any_more() -> None:
    day = day_at(562, queue(3, 562), usually(45.0))

    assert latest_minute(day, 562) == pytest.approx(562, abs=3)


def test_a_doubtful_wait_asks_for_more_time() -> None:
    day = day_at(500, queue(30, 500), usually(45.0))
    sure, doubtful = (latest_minute(day, 500, margin_s) for margin_s in (0.0, 1_200.0))

    assert sure is not None
    assert doubtful is not None
    assert doubtful == pytest.approx(sure - 20, abs=5)


@pytest.mark.parametrize("minute", [60, 200, 320, 335, 400])
def test_many_hours_ahead_nobody_is_promised_less_than_no_wait(minute: float) -> None:
    leaving = every(GAP_MIN, 1.0, minute)
    day = day_at(minute, queue(8, 1) + joined(*[m + 0.01 for m in leaving]) + let_in(*leaving), usually(45.0))

    waits_s = [wait_s for _, wait_s in to_come(day, LAST_ENTRY_MS)]

    assert min(waits_s) >= 0.0
    assert waits_s[-1] == pytest.approx(720, abs=600)  # eight cars wait now, and about as many come as are let in


def test_instants_are_whole_five_minutes_of_the_clock() -> None:
    day = day_at(501.3, queue(20, 500), usually(45.0))
    found = latest(day, number(day, 60.0), ms(501.3), LAST_ENTRY_MS)

    assert found is not None
    assert dt.datetime.fromtimestamp(found / 1000, dt.UTC).minute % 5 == 0
