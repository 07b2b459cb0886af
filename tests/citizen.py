"""The page as a citizen meets it: four yards on a Monday morning, a browser of his own, pictures for who reviews them."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

from hoflicht import Reading
from hoflicht.catalogue import City
from tests.face import Face, facing
from tests.lane import at, free_lane, held, ms, steady_queue

NOW_MS = ms(90)
NORD = "Wartezeit etwa 15 Minuten"  # eight cars, of which one is let in every 80 s
PHONE: ViewportSize = {"width": 360, "height": 740}
LIVE = re.compile(r"/live(\?|\.json)")  # where news come from
SHOTS = "HOFLICHT_SHOTS"  # a folder; without it no picture is taken
DAY_MIN = 24 * 60
SUNDAY = 6
SUED = [reading for reading in free_lane(90) if reading.sensor != "lane-120"]
MITTE = [*(reading for reading in free_lane(90) if reading.sensor == "lane-3"), *held(80, True)]


def morning() -> list[Reading]:
    """Nord has a queue, Süd is free, West is silent, Mitte is held."""
    elsewhere = [("hof-sued", SUED), ("hof-mitte", MITTE)]
    return steady_queue(8, 90) + [Reading(site, r.sensor, r.quantity, r.at_ms, r.value) for site, some in elsewhere for r in some]


def weeks(yard: str, quiet_hour: int = 13) -> list[Reading]:
    """What was told at `yard` in the last four weeks: half an hour's wait, but next to none in one hour of the day."""
    days = [day for day in range(1, 29) if at(-day * DAY_MIN).weekday() != SUNDAY]
    minutes = [minute - day * DAY_MIN for day in days for minute in range(0, 571, 30)]
    return [Reading(yard, "estimate", "wait_mean", ms(m), 200.0 if at(m).hour == quiet_hour else 1_800.0) for m in minutes]


@contextmanager
def four_yards(city: City, folder: Path, past: Sequence[Reading] = ()) -> Iterator[Face]:
    """The face at half past nine, with the forecasts that `past` gives."""
    with facing(city, folder, NOW_MS, [*morning(), *past]) as face:
        if past:
            face.outlooks.look()
        face.tell()
        yield face


def opened(browser: Browser, url: str, size: ViewportSize = PHONE, language: str = "de-DE", script: bool = True) -> Page:
    """`url` in a new window, with nothing of an earlier visit."""
    page = browser.new_page(viewport=size, locale=language, java_script_enabled=script)
    page.goto(url)
    return page


def shot(page: Page, name: str) -> None:
    """A picture of the whole page for who wants to see it."""
    folder = os.environ.get(SHOTS)
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
