"""What the pages say, in German and English."""

import datetime as dt
from collections.abc import Mapping

import msgspec

from api.reason import Reason
from hoflicht.wait import State, Trend, Wait, shown_minutes

BEYOND = 60  # minutes; a sign and a page count no further
MORE = "> "
STEP = 5  # minutes; a range is told in these


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """One language. Braces are filled in; `weekdays` begin with Monday."""

    code: str
    title: str
    lead: str
    meaning: str
    free: str
    about: str
    more_than: str
    no_number: str
    between: str
    up_to: str
    minutes: str
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
    expired: str
    heard: str
    age_now: str
    age_s: str
    open: str
    state_held: str
    state_closing: str
    state_closed: str
    state_unknown: str
    fastest: str
    offline: str
    display: str
    footer: str
    other: str
    other_code: str
    weekdays: tuple[str, ...]
    trends: Mapping[Trend, str]
    reasons: Mapping[str, str]


GERMAN = Words(
    code="de",
    title="Wartezeiten der Recyclinghöfe",
    lead="So lange dauert es gerade bis zur Einfahrt.",
    meaning="Gemeint ist die Zeit vom Ende der Schlange bis zur Einfahrtskontrolle, wenn Sie jetzt ankommen.",
    free="Keine Wartezeit",
    about="Wartezeit etwa {n} Minuten",
    more_than="Wartezeit mehr als {n} Minuten",
    no_number="Wartezeit zurzeit nicht bekannt",
    between="{low} bis {high} Minuten",
    up_to="höchstens {high} Minuten",
    minutes="Min.",
    arrival="Ankunft bis {time} Uhr",
    unsure="Einfahrt heute nicht mehr sicher",
    held="Einfahrt zurzeit gesperrt",
    held_more="Danach noch mindestens {n} Minuten",
    closing="Heute keine Einfahrt mehr",
    closed="Geschlossen",
    opens="Öffnet {day} um {time} Uhr",
    today="heute",
    tomorrow="morgen",
    unknown="Keine Angabe",
    expired="Keine aktuelle Angabe",
    heard="Zuletzt gehört um {time} Uhr",
    age_now="Stand: gerade eben",
    age_s="Stand: vor {n} Sekunden",
    open="Geöffnet",
    state_held="Gesperrt",
    state_closing="Schließt bald",
    state_closed="Geschlossen",
    state_unknown="Keine Angabe",
    fastest="Am schnellsten geht es gerade hier",
    offline="Keine Verbindung. Die Angaben werden nachgeholt, sobald es wieder geht.",
    display="Anzeige im Vollbild",
    footer="Gezählt werden Fahrzeuge, keine Personen. Keine Bilder, keine Kennzeichen.",
    other="English",
    other_code="en",
    weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    trends={Trend.RISING: "Wartezeit steigt", Trend.STEADY: "Wartezeit gleichbleibend", Trend.FALLING: "Wartezeit sinkt"},
    reasons={
        Reason.NO_SENSORS: "Hier wird die Schlange nicht gemessen.",
        Reason.SILENT: "Die Sensoren melden sich nicht.",
        Reason.UNSTEADY: "Die Sensoren geben noch kein klares Bild.",
        Reason.GATE_COUNTER: "Der Zähler an der Einfahrt meldet sich nicht.",
        Reason.TAIL_COUNTER: "Der Zähler am Ende der Schlange meldet sich nicht.",
        Reason.GATE_HELD: "Zurzeit wird niemand eingelassen.",
        Reason.STANDSTILL: "Die Schlange steht, zurzeit wird niemand eingelassen.",
        Reason.OUT_OF_SIGHT: "Die Schlange reicht weiter, als gemessen wird.",
        Reason.TOO_WIDE: "Die Schätzung ist zurzeit sehr unsicher.",
        Reason.STORE_AWAY: "Die Daten sind zurzeit nicht erreichbar.",
    },
)
ENGLISH = Words(
    code="en",
    title="Waiting times at the recycling yards",
    lead="This is how long it takes to get in right now.",
    meaning="Measured from the end of the queue to the entry control, if you arrive now.",
    free="No waiting",
    about="About {n} minutes of waiting",
    more_than="More than {n} minutes of waiting",
    no_number="Waiting time not known for now",
    between="{low} to {high} minutes",
    up_to="at most {high} minutes",
    minutes="min",
    arrival="Arrive by {time}",
    unsure="You may not get in any more today",
    held="No entry for now",
    held_more="Then at least {n} more minutes",
    closing="No more entry today",
    closed="Closed",
    opens="Opens {day} at {time}",
    today="today",
    tomorrow="tomorrow",
    unknown="No information",
    expired="No current information",
    heard="Last heard at {time}",
    age_now="Updated just now",
    age_s="Updated {n} seconds ago",
    open="Open",
    state_held="On hold",
    state_closing="Closing soon",
    state_closed="Closed",
    state_unknown="No information",
    fastest="The shortest wait right now",
    offline="No connection. The page catches up as soon as it is back.",
    display="Full-screen display",
    footer="We count vehicles, not people. No pictures, no number plates.",
    other="Deutsch",
    other_code="de",
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    trends={Trend.RISING: "Wait is rising", Trend.STEADY: "Wait is steady", Trend.FALLING: "Wait is falling"},
    reasons={
        Reason.NO_SENSORS: "The queue is not measured here.",
        Reason.SILENT: "The sensors are silent.",
        Reason.UNSTEADY: "The sensors give no clear picture yet.",
        Reason.GATE_COUNTER: "The counter at the gate is silent.",
        Reason.TAIL_COUNTER: "The counter at the end of the queue is silent.",
        Reason.GATE_HELD: "Nobody is let in for now.",
        Reason.STANDSTILL: "The queue stands, nobody is let in for now.",
        Reason.OUT_OF_SIGHT: "The queue is longer than we can measure.",
        Reason.TOO_WIDE: "The estimate is very uncertain for now.",
        Reason.STORE_AWAY: "The data cannot be reached for now.",
    },
)
LANGUAGES = {words.code: words for words in (GERMAN, ENGLISH)}


def headline(wait: Wait, words: Words) -> str:
    """The one sentence that matters."""
    if wait.state is not State.OPEN:
        without = {State.HELD: words.held, State.CLOSING: words.closing, State.CLOSED: words.closed, State.UNKNOWN: words.unknown}
        return without[wait.state]
    number = big(wait)
    if number is None:
        return words.no_number
    if number.startswith(MORE):
        return words.more_than.format(n=number.removeprefix(MORE))
    return words.free if number == "0" else words.about.format(n=number)


def big(wait: Wait) -> str | None:
    """The minutes that stand large: rounded up to the steps of a sign, "> 60" beyond; None without a number."""
    if wait.state is not State.OPEN:
        return None
    if wait.p50_s is not None:
        minutes = shown_minutes(wait.p50_s)
        return f"{MORE}{BEYOND}" if minutes > BEYOND else str(minutes)
    if wait.more_than_s is not None and wait.more_than_s >= STEP * 60:
        return f"{MORE}{min(_down(wait.more_than_s), BEYOND)}"
    return None


def detail(wait: Wait, words: Words, today: dt.date) -> str:
    """The second line: the band, why there is no number, or when it opens."""
    if wait.next_opening is not None and wait.state in (State.CLOSED, State.CLOSING):
        return words.opens.format(day=_day(wait.next_opening.date(), today, words), time=clock(wait.next_opening))
    if wait.state is State.HELD and wait.more_than_s is not None and wait.more_than_s >= STEP * 60:
        return words.held_more.format(n=_down(wait.more_than_s))
    if wait.reason is not None:
        return words.reasons.get(wait.reason, "")
    if wait.state is not State.OPEN or wait.p10_s is None or wait.p90_s is None:
        return ""
    low, high = _down(wait.p10_s), -(-wait.p90_s // 60 // STEP) * STEP
    if high == 0:
        return ""
    return words.up_to.format(high=high) if low == 0 else words.between.format(low=low, high=high)


def arrival(wait: Wait, words: Words, zone: dt.tzinfo) -> str:
    """Until when to come, or that it may be too late already; empty where no number is shown."""
    if wait.state is not State.OPEN or wait.p90_s is None or wait.last_entry is None:
        return ""
    if wait.latest_arrival is None:
        return words.unsure
    return words.arrival.format(time=clock(wait.latest_arrival.astimezone(zone)))


def state(wait: Wait, words: Words) -> str:
    """The state in a word or two."""
    return {
        State.OPEN: words.open,
        State.HELD: words.state_held,
        State.CLOSING: words.state_closing,
        State.CLOSED: words.state_closed,
        State.UNKNOWN: words.state_unknown,
    }[wait.state]


def clock(instant: dt.datetime) -> str:
    """The time of day as `instant`'s own zone has it."""
    return f"{instant.hour}:{instant.minute:02d}"


def _day(day: dt.date, today: dt.date, words: Words) -> str:
    ahead = (day - today).days
    if ahead < 2:
        return words.tomorrow if ahead else words.today
    name = words.weekdays[day.weekday()]
    return name if ahead < 7 else f"{name}, {day.day}.{day.month}."


def _down(seconds: int) -> int:
    return seconds // 60 // STEP * STEP
