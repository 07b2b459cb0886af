"""What to expect of the coming hours, and when nothing can be said."""

import datetime as dt
import statistics
from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

import hypothesis
import hypothesis.strategies as st
import pytest

from api.estimate.forecast import HourForecast, answer, best, forecast
from api.estimate.past import Hour, Unknown
from hoflicht.catalogue import City, Hours
from hoflicht.wait import State, Wait
from simulators.life import opening, stretches

BERLIN = ZoneInfo("Europe/Berlin")
CITY = City(name="Duisburg", timezone="Europe/Berlin", holidays="DE-NW")
WEEKLY = Hours(weekly=dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), "08:00-18:00"), last_entry_before_min=30)
NIGHTLY = Hours(weekly=dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), "20:00-04:00"))
TUESDAY = dt.datetime(2026, 11, 24, 11, 0, tzinfo=BERLIN)
OPEN = range(8, 18)


def weeks(
    wait_s: Callable[[dt.datetime], float], count: float, until: dt.datetime = TUESDAY, clock: Iterable[int] = OPEN
) -> list[Hour]:
    """All open hours of `count` weeks before `until`, Sundays left out; what was told at an hour's end was its mean."""
    days = [until.date() - dt.timedelta(days=n) for n in range(round(count * 7), -1, -1)]
    starts = [dt.datetime.combine(day, dt.time(hour), BERLIN) for day in days if day.weekday() < 6 for hour in clock]
    return [Hour(start, wait_s(start), wait_s(start)) for start in starts if start + dt.timedelta(hours=1) <= until]


def at(hours: list[HourForecast], instant: dt.datetime) -> HourForecast:
    return next(hour for hour in hours if hour.at == instant)


def told(mean_s: int, now: dt.datetime = TUESDAY) -> Wait:
    return Wait(yard="hof-nord", state=State.OPEN, as_of=now, valid_until=now, mean_s=mean_s)


def restless(start: dt.datetime) -> float:
    """Saturdays are twice as long as the rest, noon is the worst, and no day is quite like another."""
    usual_s = (900 - 150 * abs(start.hour - 12)) * (2 if start.weekday() == 5 else 1)
    return max(0.0, usual_s * (0.7 + 0.2 * (start.toordinal() * 7 % 4)))


def test_what_was_always_so_is_expected_again() -> None:
    hours = forecast(weeks(lambda start: 600.0, 8), WEEKLY, CITY, TUESDAY)

    expected = {(hour.p10_s, hour.p50_s, hour.mean_s, hour.p90_s) for hour in hours if hour.state is State.OPEN}
    assert expected == {(600, 600, 600, 600)}


def test_it_reaches_from_the_hour_under_way_to_the_end_of_the_seventh_day() -> None:
    hours = forecast([], WEEKLY, CITY, TUESDAY + dt.timedelta(minutes=20))

    assert (hours[0].at, hours[-1].at) == (TUESDAY, dt.datetime(2026, 12, 1, 23, 0, tzinfo=BERLIN))


def test_a_closed_hour_has_no_number_and_needs_no_reason() -> None:
    hours = forecast(weeks(restless, 8), WEEKLY, CITY, TUESDAY)

    sunday = [hour for hour in hours if hour.at.weekday() == 6]
    assert len(sunday) == 24
    assert {(hour.state, hour.mean_s, hour.p10_s, hour.p50_s, hour.p90_s, hour.reason) for hour in sunday} == {
        (State.CLOSED, None, None, None, None, None)
    }


def test_a_holiday_is_closed() -> None:
    day_before = dt.datetime(2026, 12, 24, 11, 0, tzinfo=BERLIN)

    hours = forecast(weeks(restless, 8, day_before), WEEKLY, CITY, day_before)

    assert at(hours, day_before + dt.timedelta(days=1)).state is State.CLOSED
    assert at(hours, day_before + dt.timedelta(days=4)).state is State.OPEN


def test_after_the_last_entry_of_today_the_yard_is_closed() -> None:
    hours = forecast([], WEEKLY, CITY, TUESDAY.replace(hour=17, minute=31))

    assert hours[0].state is State.CLOSED


def test_a_night_belongs_to_the_day_on_which_it_began() -> None:
    hours = forecast([], NIGHTLY, CITY, TUESDAY)

    sunday = [hour.at.hour for hour in hours if hour.at.weekday() == 6 and hour.state is State.OPEN]
    assert sunday == [0, 1, 2, 3]


def test_a_new_yard_says_that_it_does_not_know_yet() -> None:
    hours = forecast(weeks(restless, 1), WEEKLY, CITY, TUESDAY)

    expected = {(hour.mean_s, hour.p90_s, hour.reason) for hour in hours if hour.state is State.OPEN}
    assert expected == {(None, None, Unknown.YOUNG)}


def test_nine_earlier_days_tell_of_an_hour_and_eight_do_not() -> None:
    nine, eight = (weeks(restless, days / 7) for days in (11, 10))  # two of them are Sundays

    hours = [at(forecast(history, WEEKLY, CITY, TUESDAY), TUESDAY + dt.timedelta(days=1)) for history in (nine, eight)]

    assert [hour.reason for hour in hours] == [None, Unknown.YOUNG]


def test_a_weekday_that_was_never_measured_is_unknown() -> None:
    without_saturdays = [hour for hour in weeks(restless, 8) if hour.start.weekday() != 5]

    hours = forecast(without_saturdays, WEEKLY, CITY, TUESDAY)

    assert {hour.reason for hour in hours if hour.at.weekday() == 5 and hour.state is State.OPEN} == {Unknown.WEEKDAY}
    assert {hour.reason for hour in hours if hour.at.weekday() == 4 and hour.state is State.OPEN} == {None}


def test_hours_that_are_new_to_the_timetable_are_unknown() -> None:
    longer = Hours(weekly=dict.fromkeys(WEEKLY.weekly, "08:00-20:00"))

    hours = forecast(weeks(restless, 8), longer, CITY, TUESDAY)

    assert at(hours, TUESDAY.replace(hour=17)).reason is None
    assert at(hours, TUESDAY.replace(hour=18)).reason == Unknown.YOUNG


def test_a_weekday_that_is_worse_is_expected_to_be_worse() -> None:
    hours = forecast(weeks(restless, 8), WEEKLY, CITY, TUESDAY)

    friday, saturday = (at(hours, dt.datetime(2026, 11, day, 12, 0, tzinfo=BERLIN)).mean_s for day in (27, 28))
    assert friday is not None
    assert saturday is not None
    assert saturday > 1.6 * friday


def test_a_season_is_followed() -> None:
    def rising(start: dt.datetime) -> float:
        return 300 + 10 * (start.date() - dt.date(2026, 9, 29)).days

    hours = forecast(weeks(rising, 8), WEEKLY, CITY, TUESDAY)

    mean_s = at(hours, TUESDAY + dt.timedelta(days=1)).mean_s
    assert mean_s is not None
    assert mean_s > 650  # the mean of the weeks is 580


def sluggish(start: dt.datetime) -> float:
    """Three hours alike, then another three: what is unusual at an hour's end is so in the next as well."""
    return 400 + 100 * ((start.toordinal() * 4 + start.hour // 3) * 13 % 7)


def test_what_is_unusual_now_is_expected_for_the_next_hours_and_not_for_tomorrow() -> None:
    history = weeks(sluggish, 8)

    calm, rush = (forecast(history, WEEKLY, CITY, TUESDAY, told(seconds)) for seconds in (300, 1500))

    more_s = [(late.mean_s or 0) - (early.mean_s or 0) for early, late in zip(calm, rush, strict=True)]
    assert more_s[0] > 300
    assert more_s[0] >= more_s[1] >= more_s[2]
    assert set(more_s[10:]) == {0}


def test_without_a_present_wait_the_last_hour_tells_what_is_unusual() -> None:
    history = weeks(sluggish, 8)
    rush = [*history[:-1], Hour(history[-1].start, 1500.0, 1500.0)]

    calm_s, rush_s = (forecast(each, WEEKLY, CITY, TUESDAY)[0].mean_s for each in (history, rush))

    assert calm_s is not None
    assert rush_s is not None
    assert rush_s > calm_s + 100


def test_an_hour_that_is_not_over_does_not_count() -> None:
    history = weeks(restless, 8)

    hours = forecast([*history, Hour(TUESDAY, 9_000.0, 9_000.0)], WEEKLY, CITY, TUESDAY + dt.timedelta(minutes=59))

    assert hours == forecast(history, WEEKLY, CITY, TUESDAY + dt.timedelta(minutes=59))


def test_the_end_of_summer_time_repeats_an_hour_and_disturbs_nothing() -> None:
    always = Hours(weekly=dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00"), open_on_holidays=True)
    saturday = dt.datetime(2026, 10, 24, 12, 0, tzinfo=BERLIN)
    start = saturday.astimezone(dt.UTC)
    history = [Hour(start - dt.timedelta(hours=n), 600.0, 600.0) for n in range(1, 56 * 24)]

    hours = forecast(history, always, CITY, saturday)

    assert [hour.at.hour for hour in hours if hour.at.date() == dt.date(2026, 10, 25)][:5] == [0, 1, 2, 2, 3]
    assert {hour.mean_s for hour in hours} == {600}


@hypothesis.settings(max_examples=30)
@hypothesis.given(
    waits_s=st.lists(st.floats(0, 7_200), min_size=1, max_size=60),
    count=st.floats(0, 9),
    minutes=st.integers(0, 1_439),
    present_s=st.none() | st.integers(0, 7_200),
)
def test_a_forecast_is_in_order_and_never_negative(waits_s: list[float], count: float, minutes: int, present_s: int | None) -> None:
    now = TUESDAY.replace(hour=0) + dt.timedelta(minutes=minutes)
    history = weeks(lambda start: waits_s[(start.toordinal() * 24 + start.hour) % len(waits_s)], count, now)
    present = None if present_s is None else told(present_s, now)

    hours = forecast(history, WEEKLY, CITY, now, present)

    for hour in hours:
        numbers = (hour.p10_s, hour.p50_s, hour.p90_s)
        if hour.mean_s is None or hour.p10_s is None or hour.p50_s is None or hour.p90_s is None:
            assert (hour.mean_s, *numbers) == (None, None, None, None)
            assert (hour.reason is None) == (hour.state is State.CLOSED)
        else:
            assert 0 <= hour.p10_s <= hour.p50_s <= hour.p90_s
            assert hour.mean_s >= 0
    assert hours == forecast(list(reversed(history)), WEEKLY, CITY, now, present)


def hour_of(clock: int, mean_s: int, p90_s: int) -> HourForecast:
    instant = TUESDAY.replace(hour=clock)
    return HourForecast(at=instant, state=State.OPEN, mean_s=mean_s, p10_s=0, p50_s=mean_s, p90_s=p90_s)


@pytest.mark.parametrize(
    ("later", "clock"),
    [
        ((120, 300), 15),  # even its bad case is below the mean of all, 415 s
        ((120, 500), None),  # its band hides whether it is better
        ((700, 900), None),  # and this is no better
    ],
)
def test_the_best_hour_is_the_shortest_that_stays_so_in_its_bad_case(later: tuple[int, int], clock: int | None) -> None:
    found = best([hour_of(13, 500, 900), hour_of(14, 625, 990), hour_of(15, *later)])

    assert (found and found.hour) == clock


def test_where_all_hours_are_alike_none_is_best() -> None:
    assert best([hour_of(13, 0, 0), hour_of(14, 0, 0)]) is None


def test_an_answer_tells_the_best_hour_of_today_and_of_the_week() -> None:
    tomorrow = HourForecast(at=TUESDAY + dt.timedelta(days=1), state=State.OPEN, mean_s=0, p10_s=0, p50_s=0, p90_s=60)

    told = answer("hof-nord", [hour_of(13, 900, 1_200), hour_of(14, 120, 300), tomorrow], TUESDAY)

    assert (told.best_today, told.best_week) == (TUESDAY.replace(hour=14), tomorrow.at)


def test_it_beats_the_same_hour_mean_of_past_weeks_on_a_simulated_yard(city: City) -> None:
    history, name = [], "hof-mitte"
    for periods in stretches(name, city, dt.date(2026, 8, 31)):
        if periods[0].opens.date() > dt.date(2026, 11, 28):
            break
        history += hourly(name, city, periods[0].opens.date())

    ours_s, same_hour_s = [], []
    for each in history:
        now = each.start - dt.timedelta(hours=1)
        if now.date() < dt.date(2026, 11, 1) or now.hour not in (9, 11, 14):
            continue
        known = [hour for hour in history if hour.start < now and hour.start >= now - dt.timedelta(weeks=8)]
        same = [hour.mean_s for hour in known if (hour.start.weekday(), hour.start.hour) == (each.start.weekday(), each.start.hour)]
        p50_s = at(forecast(known, city.yards[name].hours, city, now), each.start).p50_s
        assert p50_s is not None
        ours_s.append(abs(p50_s - each.mean_s))
        same_hour_s.append(abs(statistics.mean(same) - each.mean_s))

    assert len(ours_s) > 60
    assert statistics.mean(ours_s) < 0.95 * statistics.mean(same_hour_s)


def hourly(name: str, city: City, on: dt.date) -> list[Hour]:
    """The mean waits of a simulated day; those of an hour's last quarter are what was told at its end."""
    lived = opening(name, city, 1, next(stretches(name, city, on)))
    list(lived.events())
    waits: dict[dt.datetime, list[tuple[int, float]]] = {}
    for car in lived.cars:
        came = dt.datetime.fromtimestamp(car.came_ms / 1000, BERLIN)
        if car.let_in_ms is not None and came.hour in OPEN:
            start = came.replace(minute=0, second=0, microsecond=0)
            waits.setdefault(start, []).append((came.minute, (car.let_in_ms - car.came_ms) / 1000))
    hours = []
    for start, cars in sorted(waits.items()):
        last_s = [wait_s for minute, wait_s in cars if minute >= 45] or [cars[-1][1]]
        hours.append(Hour(start, statistics.mean(wait_s for _, wait_s in cars), statistics.mean(last_s)))
    return hours
