"""What a language has to say on the pages; each language is a module, and `api/citizen/languages.py` lists them."""

from collections.abc import Mapping

import msgspec

from hoflicht.wait import Trend, Trust


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """One language. Braces are filled in, `weekdays` begin with Monday; no suffix stands behind a figure: Turkish has many."""

    # of the page
    code: str  # BCP 47
    name: str  # of the language, in itself
    title: str
    app: str  # under an icon: 12 characters, or a phone cuts it
    lead: str
    meaning: str
    skip: str
    languages: str
    footer: str
    api: str

    # of a wait
    free: str
    about: str
    more_than: str
    no_number: str
    between: str
    up_to: str
    minutes: str
    rough: str
    queue: str
    queue_of_one: str
    arrival: str
    unsure: str
    held: str
    held_more: str
    closing: str
    closed: str
    opens: str
    today: str
    tomorrow: str
    unknown: str
    fastest: str
    weekdays: tuple[str, ...]
    trends: Mapping[Trend, str]
    notes: Mapping[Trust, str]
    reasons: Mapping[str, str]

    # of a state, in a word or two
    open: str
    state_held: str
    state_closing: str
    state_closed: str
    state_unknown: str

    # of the day
    hours: str
    hours_last: str
    hours_closed: str
    hours_always: str
    notice: str

    # of the best hours
    best_today: str
    best_week: str
    best_both: str
    none_today: str
    none_week: str
    expected: str
    expected_free: str
    expected_none: str
    forecast_young: str
    forecast_away: str

    # of how old it is
    heard: str
    age_now: str
    age_s: str
    stale: str
    expired: str
    offline: str

    # of near and quick
    near_title: str
    near_how: str
    near_private: str
    near_failed: str
    nearest: str
    quickest: str
    both: str
    far: str
