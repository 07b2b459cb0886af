"""The words of the pages, in German and English."""

from collections.abc import Mapping

import msgspec

from api.reason import Reason
from hoflicht.wait import Trend, Trust


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
    notes: Mapping[Trust, str]
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
    between="meist {low} bis {high} Minuten",
    up_to="meist höchstens {high} Minuten",
    minutes="Min.",
    rough="ca.",
    queue="Etwa {n} Autos warten",
    queue_of_one="Ein Auto wartet",
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
    notes={
        Trust.MEASURED: "",
        Trust.CONFIGURED: "Hier wird erst seit Kurzem gemessen; die Zahl ist nur ein Richtwert.",
        Trust.RECKONED: "Ein Zähler ist ausgefallen; die Zahl ist weniger genau.",
    },
    reasons={
        Reason.NO_SENSORS: "Hier wird die Schlange nicht gemessen.",
        Reason.SILENT: "Die Sensoren melden sich nicht.",
        Reason.UNSTEADY: "Die Sensoren geben noch kein klares Bild.",
        Reason.GATE_COUNTER: "Der Zähler an der Einfahrt meldet sich nicht.",
        Reason.TAIL_COUNTER: "Der Zähler am Ende der Schlange meldet sich nicht.",
        Reason.COUNTER_OUT: "Ein Zähler ist ausgefallen; wie lang die Schlange ist, lässt sich nicht mehr sagen.",
        Reason.GATE_HELD: "Zurzeit wird niemand eingelassen.",
        Reason.STAFF: "Das Personal lässt zurzeit niemanden ein.",
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
    between="mostly {low} to {high} minutes",
    up_to="mostly up to {high} minutes",
    minutes="min",
    rough="about",
    queue="About {n} cars are waiting",
    queue_of_one="One car is waiting",
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
    notes={
        Trust.MEASURED: "",
        Trust.CONFIGURED: "Measuring has only just begun here; the number is rough.",
        Trust.RECKONED: "A counter is out; the number is less exact.",
    },
    reasons={
        Reason.NO_SENSORS: "The queue is not measured here.",
        Reason.SILENT: "The sensors are silent.",
        Reason.UNSTEADY: "The sensors give no clear picture yet.",
        Reason.GATE_COUNTER: "The counter at the gate is silent.",
        Reason.TAIL_COUNTER: "The counter at the end of the queue is silent.",
        Reason.COUNTER_OUT: "A counter is out; how long the queue is can no longer be told.",
        Reason.GATE_HELD: "Nobody is let in for now.",
        Reason.STAFF: "Staff let nobody in for now.",
        Reason.STANDSTILL: "The queue stands, nobody is let in for now.",
        Reason.OUT_OF_SIGHT: "The queue is longer than we can measure.",
        Reason.TOO_WIDE: "The estimate is very uncertain for now.",
        Reason.STORE_AWAY: "The data cannot be reached for now.",
    },
)
LANGUAGES = {words.code: words for words in (GERMAN, ENGLISH)}
