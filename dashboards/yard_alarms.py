"""Alarms of the recycling yards: what the public sees, and what it rests on."""

from collections.abc import Iterator

from dashboards.gateway_alarms import DAY_S, HOUR_S, MINUTE_S, NONE_LATELY, PORT, SITE, silence
from dashboards.influxql import AMONG, last, of_all, once, over_time
from dashboards.rules import Group, Rule, Text
from hoflicht.catalogue import ESTIMATE, City, Role, Yard
from hoflicht.faults import Severity
from hoflicht.wait import STATE_CODES, TRUST_CODES, State, Trust

ESTIMATED = {"sensor": ESTIMATE}
A_QUEUE_M = 20  # a sensor nearer to the gate than three cars sees the first car, not the end of the queue

YARDS = (
    Rule(
        name="estimate-silent",
        group=Group.YARDS,
        severity=Severity.MEDIUM,
        title=Text("Wartezeit wird nicht mehr berechnet", "Waiting time is not estimated any more"),
        meaning=Text(
            "Für {site} schreibt die api seit einer Viertelstunde nichts mehr. Schild und Seite zeigen keine Zahl.",
            "For a quarter of an hour the api has written nothing for {site}. Sign and page show no number.",
        ),
        ask=silence("wait_state", SITE, ESTIMATED),
        range_s=DAY_S,
        wrong=NONE_LATELY,
        lasting_s=5 * MINUTE_S,  # it is written each minute, also while the yard is closed
    ),
    Rule(
        name="wait-unknown",
        group=Group.YARDS,
        severity=Severity.MEDIUM,
        title=Text("Hof ohne Zahl", "Yard has no number"),
        meaning=Text(
            "{site} ist offen, aber die Sensoren tragen keine Zahl: sie schweigen oder widersprechen sich.",
            "{site} is open, but the sensors carry no number: they are silent or contradict each other.",
        ),
        ask=last("wait_state", ESTIMATED, SITE),
        range_s=15 * MINUTE_S,
        wrong=f"$X == {STATE_CODES[State.UNKNOWN]}",
        lasting_s=15 * MINUTE_S,  # a gateway that starts again takes some minutes
    ),
    Rule(
        name="counter-out",
        group=Group.YARDS,
        severity=Severity.MEDIUM,
        title=Text("Zähler ausgefallen", "A counter is out"),
        meaning=Text(
            "Die Zahl von {site} beruht nur noch auf Erfahrung, weil ein Zähler fehlt. Sie wird mit der Zeit schlechter.",
            "The number of {site} rests on experience, because a counter is missing. It gets worse with time.",
        ),
        ask=last("wait_trust", ESTIMATED, SITE),
        range_s=15 * MINUTE_S,
        wrong=f"$X == {TRUST_CODES[Trust.RECKONED]}",
        lasting_s=30 * MINUTE_S,  # a doubtful counter often speaks again
    ),
    Rule(
        name="wait-long",
        group=Group.YARDS,
        severity=Severity.MEDIUM,
        title=Text("Lange Wartezeit", "Long wait"),
        meaning=Text(
            "An {site} wartet man {x} min. Eine zweite Kraft am Einlass, ein Hinweis in der Zeitung?",
            "At {site} people wait {x} min. A second person at the gate, a word to the press?",
        ),
        ask=once("wait_p50", 'last("value") / 60', ESTIMATED, SITE),
        range_s=10 * MINUTE_S,
        wrong="$X > 60",  # from there on the sign gives no number any more
        lasting_s=10 * MINUTE_S,
    ),
    Rule(
        name="sensor-silent",
        group=Group.YARDS,
        severity=Severity.MEDIUM,
        title=Text("Spursensor schweigt", "Lane sensor is silent"),
        meaning=Text(
            "{sensor} an {site} meldet seit einer Viertelstunde nichts, auch keine freie Spur.",
            "{sensor} at {site} has said nothing for a quarter of an hour, not even that the lane is free.",
        ),
        ask=silence("presence", PORT),
        range_s=DAY_S,
        wrong=NONE_LATELY,
        lasting_s=5 * MINUTE_S,  # it repeats itself each minute
    ),
    Rule(
        name="sensor-stuck",
        group=Group.YARDS,
        severity=Severity.MEDIUM,
        title=Text("Spursensor hängt", "Lane sensor is stuck"),
        meaning=Text(
            "{sensor} an {site} sieht seit sechs Stunden ohne Lücke ein Auto: verdreckt, verstellt, oder jemand parkt davor.",
            "{sensor} at {site} has seen a car for six hours without a gap: dirty, turned away, or somebody parks there.",
        ),
        ask=once("presence", 'min("value")', by=PORT),
        range_s=6 * HOUR_S,  # even a full lane moves up now and then, and the nights are longer
        wrong="$X > 0.5",
        lasting_s=10 * MINUTE_S,
    ),
    Rule(
        name="estimate-inaccurate",
        group=Group.YARDS,
        severity=Severity.LOW,
        title=Text("Wartezeiten stimmen nicht", "Waits do not come as told"),
        meaning=Text(
            "An {site} traf in drei Tagen nur ein Anteil von {x} auf drei Minuten genau zu.",
            "At {site} only a share of {x} came to within three minutes in three days.",
        ),
        ask=once("within_3min", 'mean("value")', ESTIMATED, SITE),
        range_s=3 * DAY_S,  # one bad hour is chance
        wrong="$X < 0.5",  # who is wrong more often than right had better say nothing; border crossings reach 0.85
        lasting_s=HOUR_S,
    ),
    Rule(
        name="band-wrong",
        group=Group.YARDS,
        severity=Severity.LOW,
        title=Text("Spanne der Wartezeit zu eng", "Band of the wait is too narrow"),
        meaning=Text(
            "An {site} lag in drei Tagen nur ein Anteil von {x} der Wartezeiten in der genannten Spanne; gemeint sind 0.8.",
            "At {site} only a share of {x} of the waits lay in the band that was told in three days; 0.8 is meant.",
        ),
        ask=once("band_coverage", 'mean("value")', ESTIMATED, SITE),
        range_s=3 * DAY_S,
        wrong="$X < 0.6",  # twice as many outside as are meant to be
        lasting_s=HOUR_S,
    ),
)


def yards_of(city: City) -> Iterator[Rule]:
    """What needs the places and roles of sensors."""
    ends = [(name, end) for name, yard in city.yards.items() if (end := _end_of_lane(yard))]
    if ends:
        yield _spill_back(ends)
    for name, yard in city.yards.items():
        entries, exits = _named(yard, Role.ENTRY_CONTROL), _named(yard, Role.YARD_EXIT)
        if entries and exits:
            yield _counters_apart(name, entries, exits)


def _end_of_lane(yard: Yard) -> str:
    """The sensor farthest from the gate; none where all see only the first cars."""
    places = {name: sensor.position_m or 0 for name, sensor in yard.sensors.items() if sensor.role is Role.LANE}
    farthest = max(places, key=places.__getitem__, default="")
    return farthest if farthest and places[farthest] >= A_QUEUE_M else ""


def _spill_back(ends: list[tuple[str, str]]) -> Rule:
    these = " OR ".join(f"(\"site\" = '{site}' AND \"sensor\" = '{sensor}')" for site, sensor in ends)
    # The span stands in here alone: told it again outside, 2.7.12 answers nothing at all where the first minute begins before it.
    minutes = over_time("presence", 'last("value") AS "busy"', {AMONG: these}, PORT, step="1m", fill="none")
    return Rule(
        name="spill-back",
        group=Group.YARDS,
        severity=Severity.HIGH,  # on a road somebody may be hurt
        title=Text("Rückstau auf die Straße", "Queue reaches the road"),
        meaning=Text(
            "Vor {sensor}, dem letzten Sensor der Spur von {site}, stehen seit zehn Minuten Autos; dahinter sieht niemand mehr.",
            "Cars have stood at {sensor}, the last sensor in the lane of {site}, for ten minutes; nobody sees beyond it.",
        ),
        ask=of_all('mean("busy")', minutes, by=PORT),
        range_s=10 * MINUTE_S,
        wrong="$X > 0.7",  # a queue that moves up leaves gaps; cars that pass stand there in few minutes' last second
        lasting_s=5 * MINUTE_S,
    )


def _counters_apart(yard: str, entries: list[str], exits: list[str]) -> Rule:
    return Rule(
        name=f"counters-apart-{yard}",
        section="counters-apart",
        group=Group.YARDS,
        severity=Severity.LOW,
        title=Text(f"Zähler laufen auseinander: {yard}", f"Counters drift apart: {yard}"),
        meaning=Text(
            "In 24 Stunden {x} Einfahrten unter {y} Ein- und Ausfahrten; es sollte die Hälfte sein. Ein Zähler übersieht Autos.",
            "In 24 hours {x} entries among {y} entries and exits; it should be half. A counter misses cars.",
        ),
        ask=_passages(yard, entries),
        # All passages rather than the exits: of a dead counter there is nothing, and Grafana compares nothing with nothing. That
        # of the entry is missed at once (`counter-out`).
        against=_passages(yard, entries + exits),
        range_s=DAY_S,
        # Counters miscount by up to 5 %, so two of them by 10 %; and a dozen or two stand in the yard now.
        wrong="abs($Y - 2 * $X) > 0.1 * $X + 20",
        lasting_s=HOUR_S,
    )


def _passages(yard: str, sensors: list[str]) -> str:
    these = " OR ".join(f"\"sensor\" = '{sensor}'" for sensor in sensors)
    return once("passage", 'sum("value")', {"site": yard, AMONG: these}, SITE)


def _named(yard: Yard, role: Role) -> list[str]:
    return [name for name, sensor in yard.sensors.items() if sensor.role is role]
