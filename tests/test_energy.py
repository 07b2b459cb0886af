"""Energy from meters that are replaced, fall silent and miss days; and whether a cabinet and its lamps add up."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from api.light.energy import HOUR_MS, Finding, Notice, Samples, Sum, by_hour, findings, used
from api.light.meters import month_of
from api.light.night import dark_h
from hoflicht.sky import Place

START_MS = 1_793_487_600_000  # 2026-11-01, 00:00 in Duisburg
END_MS = START_MS + 30 * 24 * HOUR_MS
LAMP_W = 112.0  # twice what it takes at most


def counting(from_h: float, until_h: float, watt: float, begins_kwh: float = 100.0) -> list[tuple[int, float]]:
    """A meter, read every hour from so many hours after the start of the month."""
    hours = range(int(until_h - from_h) + 1)
    return [(START_MS + round((from_h + n) * HOUR_MS), begins_kwh + n * watt / 1000) for n in hours]


def told(samples: Samples) -> tuple[float, float, float, float, int]:
    """Energy of the month and what it rests on, rounded."""
    found = used(samples, START_MS, END_MS, LAMP_W)
    return (
        round(found.kwh, 3),
        round(found.interpolated_h, 1),
        round(found.estimated_h, 1),
        round(found.missing_h, 1),
        found.replaced,
    )


def test_a_month_is_the_difference_of_its_ends_between_two_readings() -> None:
    assert told(counting(-30.5, 760.5, 50)) == (36.0, 0, 0, 0, 0)


def test_a_meter_that_was_replaced_loses_no_month() -> None:
    old, new = counting(-1, 300, 50), counting(301, 730, 50, begins_kwh=0.0)

    # The hour of the change is filled with the mean.
    assert told([*old, *new]) == (36.0, 0, 1, 0, 1)


def test_the_hour_in_which_it_was_replaced_may_hold_a_mean_of_both_meters() -> None:
    old, mixed, new = counting(-1, 300, 50), [(START_MS + 301 * HOUR_MS, 57.0)], counting(302, 730, 50, begins_kwh=0.0)

    assert told([*old, *mixed, *new]) == (36.0, 0, 2, 0, 1)


def test_a_new_meter_that_begins_higher_is_no_energy() -> None:
    assert told([*counting(-1, 300, 50), *counting(301, 730, 50, begins_kwh=5_000)]) == (36.0, 0, 1, 0, 1)


def test_a_meter_that_was_replaced_twice_is_told_so() -> None:
    meters = [*counting(-1, 300, 50), *counting(301, 400, 50, begins_kwh=0.0), *counting(401, 730, 50, begins_kwh=0.0)]

    assert told(meters) == (36.0, 0, 2, 0, 2)


def test_a_missing_day_is_in_the_difference_and_marked() -> None:
    assert told([*counting(-1, 100, 50), *counting(124, 730, 50, begins_kwh=100 + 125 * 0.05)]) == (36.0, 24, 0, 0, 0)


def test_a_gap_over_the_end_of_the_month_is_shared_out_by_time() -> None:
    # Silent from 12 h before the end to 36 h after it.
    assert told([*counting(-1, 708, 50), *counting(756, 800, 50, begins_kwh=100 + 757 * 0.05)]) == (36.0, 12, 0, 0, 0)


def test_what_lies_before_the_first_and_after_the_last_reading_is_missing_and_not_made_up() -> None:
    assert told(counting(120, 600, 50)) == (24.0, 0, 0, 240, 0)


def test_rounding_of_a_meter_is_no_new_one() -> None:
    samples = [(at_ms, round(kwh, 2) - (0.01 if n % 2 else 0)) for n, (at_ms, kwh) in enumerate(counting(-1, 730, 0))]

    kwh, *_, replaced = told(samples)

    assert (replaced, kwh < 4) == (0, True)


@pytest.mark.parametrize("samples", [[], [(START_MS + HOUR_MS, 5.0)], [(END_MS + HOUR_MS, 5.0), (END_MS + 2 * HOUR_MS, 5.1)]])
def test_without_two_readings_nothing_is_known(samples: Samples) -> None:
    assert told(samples) == (0.0, 0, 0, 720, 0)


def test_hours_next_to_a_gap_or_a_new_meter_are_left_out() -> None:
    samples = [*counting(0, 2, 50), *counting(6, 8, 50, begins_kwh=0.0), *counting(9, 9, 50, begins_kwh=90.0)]

    assert [(at_ms - START_MS) // HOUR_MS for at_ms, _ in by_hour(samples, LAMP_W)] == [0, 1, 6, 7]


DARK = {START_MS + n * HOUR_MS: n % 24 < 12 for n in range(240)}


def lamps(*meters: dict[int, float]) -> Sum:
    total = Sum(len(meters))
    for meter in meters:
        total.add(meter.items())
    return total


def burning(night_w: float, day_w: float) -> dict[int, float]:
    return {hour: (night_w if dark else day_w) / 1000 for hour, dark in DARK.items()}


STREET = (burning(500, 5), burning(500, 5))


@pytest.mark.parametrize(
    ("cabinet", "expected"),
    [
        (burning(1_030, 10.3), []),  # cables
        (burning(1_079, 10), []),
        (burning(1_230, 211), [(Notice.UNMETERED, 150)]),
        (burning(1_030, 400), [(Notice.BY_DAY, 359)]),
        (burning(800, 8), [(Notice.SHORT, 120)]),
        (burning(1_000 * 1.08 + 100, 500), [(Notice.UNMETERED, 100), (Notice.BY_DAY, 309)]),
    ],
)
def test_a_cabinet_is_held_beside_its_lamps(cabinet: dict[int, float], expected: list[tuple[Notice, float]]) -> None:
    found = findings(cabinet, lamps(*STREET), DARK)

    assert [(finding.notice, round(finding.watt)) for finding in found] == expected


def test_a_few_days_of_burning_are_found_in_a_month_and_a_few_hours_are_not() -> None:
    days = [hour for hour, dark in DARK.items() if not dark]
    cabinet = burning(1_030, 10)

    found = [findings(cabinet | dict.fromkeys(days[:count], 0.3), lamps(*STREET), DARK) for count in (5, 6)]

    assert found[0] == []
    [[(notice, watt, hours, _)]] = found[1:]
    assert (notice, round(watt), hours) == (Notice.BY_DAY, 259, 6)


def test_lamps_that_do_not_tell_make_no_unmetered_consumer() -> None:
    assert findings(burning(1_500, 15), lamps(*STREET, {}), DARK) == [Finding(Notice.NOT_COMPARED, lamps=1)]


@pytest.mark.parametrize(("month", "days", "hours"), [("2026-06", 30, 210), ("2026-11", 30, 450), ("2026-12", 31, 495)])
def test_nights_are_as_long_as_almanacs_say(month: str, days: int, hours: int) -> None:
    begin = dt.datetime.strptime(month, "%Y-%m").replace(tzinfo=ZoneInfo("Europe/Berlin"))
    start_ms = round(begin.timestamp() * 1000)

    assert dark_h(Place(51.43, 6.76, "Europe/Berlin"), start_ms, start_ms + days * 24 * HOUR_MS) == pytest.approx(hours, abs=12)


def test_beyond_the_polar_circle_a_night_may_last_a_month() -> None:
    assert dark_h(Place(78.2, 15.6, "Arctic/Longyearbyen"), START_MS + 40 * 24 * HOUR_MS, START_MS + 50 * 24 * HOUR_MS) == 240
    assert dark_h(Place(78.2, 15.6, "Arctic/Longyearbyen"), START_MS + 230 * 24 * HOUR_MS, START_MS + 240 * 24 * HOUR_MS) == 0


def test_a_month_is_one_of_the_city_s_time_and_ends_now_where_it_is_not_over() -> None:
    zone = ZoneInfo("Europe/Berlin")

    assert month_of("2026-11", zone, END_MS + 1) == ("2026-11", START_MS, END_MS)
    assert month_of("2026-11", zone, START_MS + 5).end_ms == START_MS + 5
    assert month_of("2026-03", zone, END_MS).end_ms - month_of("2026-03", zone, END_MS).start_ms == (31 * 24 - 1) * HOUR_MS
    for wrong in ("2026-13", "november", "2026-12"):
        with pytest.raises(ValueError):
            month_of(wrong, zone, START_MS + 5)
