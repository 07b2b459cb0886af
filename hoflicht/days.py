"""Days as config files write them: weekdays, dates, days of any year."""

import re
from datetime import date

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_OF_YEAR = re.compile(r"\d\d-\d\d")  # month and day: "11-01"


def is_date(text: str) -> bool:
    """Whether `text` is a date, "2026-12-24"."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_day_of_year(text: str) -> bool:
    """Whether `text` is a day of the year, "11-01"; "02-29" is one."""
    return DAY_OF_YEAR.fullmatch(text) is not None and is_date(f"2024-{text}")


def in_season(day: date, first: str, last: str) -> bool:
    """Whether `day` lies from `first` to `last`, days of the year, both included, also over New Year; empty: always."""
    text = f"{day:%m-%d}"
    if first <= last:
        return not first or first <= text <= last
    return text >= first or text <= last
