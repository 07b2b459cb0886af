"""People on foot: seeded, whatever part of the night is asked for."""

import datetime as dt
from zoneinfo import ZoneInfo

from simulators.walkers import HOUR_MS, walkers

BERLIN = ZoneInfo("Europe/Berlin")
EVENING_MS = round(dt.datetime(2026, 11, 26, 17, 10, tzinfo=BERLIN).timestamp() * 1000)


def test_walkers_are_the_same_however_the_night_is_cut() -> None:
    cut_ms, end_ms = EVENING_MS + 5 * HOUR_MS // 3, EVENING_MS + 12 * HOUR_MS
    whole = list(walkers(1, "lamp-0001", EVENING_MS, end_ms, BERLIN))

    first, rest = walkers(1, "lamp-0001", EVENING_MS, cut_ms, BERLIN), walkers(1, "lamp-0001", cut_ms, end_ms, BERLIN)
    assert whole == [*first, *rest]
    assert whole == sorted(whole, key=lambda walker: walker.at_ms)
    assert all(EVENING_MS <= walker.at_ms < end_ms and 0.5 <= walker.speed_m_s < 3 for walker in whole)
    assert whole != list(walkers(2, "lamp-0001", EVENING_MS, end_ms, BERLIN))
    assert whole != list(walkers(1, "lamp-0002", EVENING_MS, end_ms, BERLIN))


def test_there_are_more_in_the_evening_than_in_the_small_hours() -> None:
    def count(after_h: int) -> int:
        start_ms = EVENING_MS + after_h * HOUR_MS
        return sum(1 for n in range(10) for _ in walkers(1, f"{n}", start_ms, start_ms + HOUR_MS, BERLIN))

    assert count(0) > 8 * count(9) > 0
