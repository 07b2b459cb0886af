"""When to come, as the pages tell it: from a forecast that is still true, or not at all."""

import datetime as dt

import msgspec
import pytest

from api.citizen.besthours import MAX_AGE, BestHours, opening
from api.citizen.english import ENGLISH
from api.citizen.german import GERMAN
from api.citizen.plain_german import PLAIN_GERMAN
from api.citizen.turkish import TURKISH
from api.estimate.forecast import ForecastAnswer, HourForecast
from hoflicht.catalogue import City, Hours
from hoflicht.wait import State
from tests.lane import YARD, at

NOW = at(130)  # ten past ten on a Monday; open from 8 to 18, last entry 17:30
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN = 24 * 60


def hour(minute: float, mean_s: int | None, p10_s: int = 0, p90_s: int = 0) -> HourForecast:
    """The hour that begins `minute` minutes after the opening of that Monday."""
    if mean_s is None:
        return HourForecast(at=at(minute), state=State.OPEN, reason="no such weekday has been measured at this hour yet")
    return HourForecast(at=at(minute), state=State.OPEN, mean_s=mean_s, p10_s=p10_s, p50_s=mean_s, p90_s=p90_s or mean_s)


def forecast(*hours: HourForecast, as_of: dt.datetime = NOW) -> ForecastAnswer:
    return ForecastAnswer(YARD, as_of, list(hours))


def told(city: City, answer: ForecastAnswer | None, now: dt.datetime = NOW) -> tuple[str, str]:
    """Today's sentence and the week's, in German."""
    hours = BestHours(answer, now, city.yards[YARD].hours, city)
    return hours.today(GERMAN), hours.week(GERMAN)


BUSY = [hour(120, 2_400), hour(180, 2_400), hour(DAY_MIN, 2_400), hour(DAY_MIN + 60, 2_400)]


def test_the_best_hour_is_told_with_the_wait_to_expect_and_its_range(city: City) -> None:
    today, week = told(city, forecast(*BUSY, hour(240, 840, 550, 1_190), hour(2 * DAY_MIN, 250, 20, 560)))

    assert today == "Beste Zeit heute: 12:00 bis 13:00 Uhr. Erwartet werden etwa 15 Minuten, meist 5 bis 20 Minuten."
    assert week == (
        "Beste Zeit in den nächsten 7 Tagen: Mittwoch, 8:00 bis 9:00 Uhr. "
        "Erwartet werden etwa 5 Minuten, meist höchstens 10 Minuten."
    )


def test_an_hour_that_is_the_best_of_both_is_told_once(city: City) -> None:
    today, week = told(city, forecast(*BUSY, hour(240, 0)))

    assert (today, week) == (
        "Beste Zeit heute und in den nächsten 7 Tagen: 12:00 bis 13:00 Uhr. Erwartet wird keine Wartezeit.",
        "",
    )


def test_an_hour_that_is_over_is_not_the_best_any_more(city: City) -> None:
    answer = forecast(*BUSY, hour(60, 0))

    assert "9:00 bis 10:00" in told(city, answer, at(119))[0]
    assert told(city, answer, at(121)) == (GERMAN.none_today, GERMAN.none_week)


def test_no_hour_is_named_after_the_last_entry(city: City) -> None:
    today, _ = told(city, forecast(*BUSY, hour(540, 0)))

    assert today.startswith("Beste Zeit heute und in den nächsten 7 Tagen: 17:00 bis 17:30 Uhr.")


def test_where_all_hours_are_much_alike_none_is_named(city: City) -> None:
    assert told(city, forecast(*BUSY)) == (GERMAN.none_today, GERMAN.none_week)


def test_an_evening_tells_of_the_days_to_come_only(city: City) -> None:
    evening = at(600)
    today, week = told(city, forecast(*BUSY, hour(DAY_MIN + 120, 0), as_of=evening), evening)

    assert (today, week) == ("", "Beste Zeit in den nächsten 7 Tagen: morgen, 10:00 bis 11:00 Uhr. Erwartet wird keine Wartezeit.")


def test_what_is_not_known_is_said_to_be_unknown(city: City) -> None:
    assert told(city, None) == ("", GERMAN.forecast_away)
    assert told(city, forecast(hour(120, None), hour(180, None))) == ("", GERMAN.forecast_young)


def test_a_forecast_that_nobody_renewed_is_not_believed(city: City) -> None:
    answer = forecast(*BUSY, hour(240, 0))

    assert told(city, answer, NOW + MAX_AGE) == ("", GERMAN.forecast_away)


def test_every_language_tells_the_best_hour(city: City) -> None:
    best = BestHours(forecast(*BUSY, hour(240, 250, 20, 560)), NOW, city.yards[YARD].hours, city)

    assert [best.today(words) for words in (ENGLISH, PLAIN_GERMAN, TURKISH)] == [
        "Best time today and in the next 7 days: 12:00 to 13:00. About 5 minutes are expected, mostly up to 10 minutes.",
        "Die beste Zeit heute und in den nächsten 7 Tagen: heute 12:00 Uhr bis 13:00 Uhr. "
        "Dann warten Sie wohl ungefähr 5 Minuten. Meistens sind es höchstens 10 Minuten.",
        "Bugün ve önümüzdeki 7 günde en uygun zaman: bugün 12:00–13:00. "
        "Tahmini bekleme süresi yaklaşık 5 dakika, çoğunlukla en fazla 10 dakika.",
    ]


@pytest.mark.parametrize(
    ("weekly", "before_min", "german"),
    [
        ("08:00-18:00", 30, "Heute 8:00 bis 18:00 Uhr, letzte Einfahrt 17:30 Uhr"),
        ("08:00-18:00", 0, "Heute 8:00 bis 18:00 Uhr"),
        ("00:00-24:00", 0, "Durchgehend geöffnet"),
        ("20:00-04:00", 0, "Heute 20:00 bis 4:00 Uhr"),
        ("", 0, "Heute geschlossen"),
    ],
)
def test_the_opening_hours_of_today(city: City, weekly: str, before_min: int, german: str) -> None:
    hours = Hours(weekly=dict.fromkeys(DAYS, weekly) if weekly else {}, last_entry_before_min=before_min)

    assert opening(NOW, hours, city, GERMAN) == german


def test_a_night_that_is_not_over_is_told_of(city: City) -> None:
    hours = Hours(weekly={"mon": "20:00-04:00", "tue": "22:00-23:00"})

    assert opening(at(DAY_MIN - 5 * 60), hours, city, GERMAN) == "Heute 20:00 bis 4:00 Uhr"  # three in the morning
    assert opening(at(DAY_MIN - 3 * 60), hours, city, GERMAN) == "Heute 22:00 bis 23:00 Uhr"


def test_the_clocks_change_and_the_hours_stay(city: City) -> None:
    change = dt.datetime(2026, 10, 25, 9, 10, tzinfo=at(0).tzinfo)  # a Sunday: at three the clock said two again
    answer = ForecastAnswer(
        YARD,
        change,
        [msgspec.structs.replace(each, at=change.replace(hour=10 + n, minute=0)) for n, each in enumerate((hour(0, 0), *BUSY))],
    )
    hours = Hours(weekly=dict.fromkeys(DAYS, "08:00-18:00"))

    assert "10:00 bis 11:00 Uhr" in BestHours(answer, change, hours, city).today(GERMAN)
