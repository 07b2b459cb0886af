"""The forecast as its clients meet it: over HTTP, from what the store keeps of past weeks."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from api.estimate.forecast import ForecastAnswer
from api.estimate.past import Hour, Unknown
from api.outlook import KEEP_HISTORY_MS, KEEP_MS, in_hours
from hoflicht import Reading
from hoflicht.catalogue import City
from hoflicht.wait import State
from tests.face import AwayStore, Face, facing
from tests.lane import YARD, at, ms

DAY_MIN = 24 * 60
NOON = 240  # minutes after the opening at eight


def estimates(wait_s: float, quantity: str = "wait_mean", days: range = range(1, 15)) -> list[Reading]:
    """What was told every half an hour of the last two weeks, Sundays left out."""
    minutes = (minute - day * DAY_MIN for day in days if at(-day * DAY_MIN).weekday() != 6 for minute in range(0, 571, 30))
    return [Reading(YARD, "estimate", quantity, ms(minute), wait_s) for minute in minutes]


@pytest.fixture
def face(city: City, tmp_path: Path) -> Iterator[Face]:
    """Hof Nord at noon of a Monday, after two weeks of ten minutes' wait."""
    with facing(city, tmp_path, ms(NOON), estimates(600.0)) as running:
        yield running


def outlook(face: Face) -> ForecastAnswer:
    return msgspec.json.decode(face.get(f"/v1/yards/{YARD}/forecast").content, type=ForecastAnswer)


def test_the_hours_of_today_and_the_week_are_told(face: Face) -> None:
    told = outlook(face)

    assert (told.yard, told.as_of) == (YARD, at(NOON))
    assert (told.hours[0].at, told.hours[0].state, told.hours[0].mean_s, told.hours[0].p90_s) == (at(NOON), State.OPEN, 600, 600)
    assert told.hours[-1].at == at(7 * DAY_MIN + 15 * 60)
    assert (told.best_today, told.best_week) == (None, None)


def test_instants_are_told_in_the_time_of_the_city(face: Face) -> None:
    answer = face.get(f"/v1/yards/{YARD}/forecast").json()

    assert answer["hours"][0]["at"] == "2026-11-23T12:00:00+01:00"


def test_a_yard_without_a_past_says_that_it_does_not_know(face: Face) -> None:
    answer = face.get("/v1/yards/hof-sued/forecast").json()

    assert {(hour["mean_s"], hour["reason"]) for hour in answer["hours"] if hour["state"] == "open"} == {(None, Unknown.YOUNG)}


def test_the_median_stands_for_weeks_in_which_no_mean_was_kept(city: City, tmp_path: Path) -> None:
    old, new = estimates(900.0, "wait_p50", range(8, 15)), estimates(900.0, "wait_mean", range(1, 8))

    with facing(city, tmp_path, ms(NOON), old + new) as face:
        told = outlook(face)

    assert told.hours[0].mean_s == 900


def test_a_step_with_mean_and_median_counts_by_its_mean(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, ms(NOON), estimates(500.0, "wait_p50") + estimates(700.0)) as face:
        told = outlook(face)

    assert told.hours[0].mean_s == 700


def test_an_hour_is_the_mean_of_its_steps_and_ends_with_the_last_one() -> None:
    told = {ms(10): 300.0, ms(0): 100.0, ms(50): 800.0, ms(60): 50.0}

    assert in_hours(told) == [Hour(at(0).astimezone(dt.UTC), 400.0, 800.0), Hour(at(60).astimezone(dt.UTC), 50.0, 50.0)]


def test_an_unknown_yard_is_a_404_that_lists_the_known(face: Face) -> None:
    answer = face.get("/v1/yards/hof-ost/forecast")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "hof-nord" in answer.json()["detail"]


def test_a_forecast_may_be_kept_for_a_minute_and_asked_for_again_for_nothing(face: Face) -> None:
    first = face.get(f"/v1/yards/{YARD}/forecast")
    again = face.get(f"/v1/yards/{YARD}/forecast", if_none_match=first.headers["etag"])

    assert first.headers["cache-control"] == "public, max-age=60"
    assert (again.status_code, again.content) == (304, b"")


def test_the_weeks_are_asked_for_once_in_ten_minutes(face: Face) -> None:
    outlook(face)
    face.store.write([msgspec.structs.replace(reading, value=1_800.0) for reading in estimates(600.0)])
    face.clock.advance(KEEP_MS + 1)
    kept = outlook(face)

    face.clock.advance(KEEP_HISTORY_MS)
    fresh = outlook(face)

    assert (kept.hours[0].mean_s, fresh.hours[0].mean_s) == (600, 1_800)


def test_without_its_database_a_forecast_is_a_503(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, ms(NOON), store=AwayStore()) as face:
        answer = face.get(f"/v1/yards/{YARD}/forecast")

    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


def test_pages_see_the_forecasts_of_the_last_look_without_those_that_the_database_does_not_tell(
    city: City, tmp_path: Path, face: Face
) -> None:
    before = dict(face.outlooks.seen)
    face.outlooks.look()
    with facing(city, tmp_path / "away", ms(NOON), store=AwayStore()) as away:
        away.outlooks.look()

        assert (before, list(face.outlooks.seen), away.outlooks.seen) == ({}, list(city.yards), {})
