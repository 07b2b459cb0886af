"""Alarms of the gateways, and of the way from them into the database."""

from dashboards.influxql import IN_VIEW, last, of_all, once, over_time
from dashboards.rules import Group, Rule, Silence, Text, Trouble
from hoflicht.faults import Severity

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
GATEWAY = {"sensor": "gateway"}  # what a gateway says of itself; ingest's workers say the same by another
WORKER = {"sensor": "worker"}
SITE = ["site"]
PORT = ["site", "sensor"]
NONE_LATELY = "$X < 1"
SOME = "$X > 0"


def silence(quantity: str, by: list[str], where: dict[str, str] | None = None) -> str:
    """How many readings each quarter of an hour brought, 0 where none: who spoke in the span asked for and has stopped ends in a 0.

    The last quarter may just have begun and be empty for as long as readings are apart, so an alarm must wait longer than that.
    """
    return over_time(quantity, 'count("value")', where, by, step="15m", fill="0")


def growth(quantity: str, by: list[str]) -> str:
    """By how much a counter has grown; where it falls, a program began anew, and that is no growth."""
    steps = once(quantity, 'non_negative_difference("value")', by=by)
    return of_all(f'sum("{quantity}")', steps, by=by, since=IN_VIEW)


GATEWAYS = (
    Rule(
        name="gateway-silent",
        group=Group.GATEWAYS,
        severity=Severity.HIGH,  # its lamps stay as they are, its yard has no number
        title=Text("Gateway schweigt", "Gateway is silent"),
        meaning=Text(
            "Von {site} kam seit einer Viertelstunde nichts: Strom, Mobilfunk oder das Gerät. Solange es läuft, hebt es alles auf.",
            "Nothing came from {site} for a quarter of an hour: power, network, or the machine. While it runs, it keeps all.",
        ),
        ask=silence("uptime", SITE, GATEWAY),
        range_s=DAY_S,  # after that `communication-failure` goes on, which the api says again each day
        wrong=NONE_LATELY,
        lasting_s=5 * MINUTE_S,  # it reports each minute
    ),
    Rule(
        name="spool-nearly-full",
        group=Group.GATEWAYS,
        severity=Severity.HIGH,
        title=Text("Speicher am Gateway reicht keine sechs Stunden", "Spool has less than six hours left"),
        meaning=Text(
            "{site} kann noch {x} h lang aufheben, was die Datenbank nicht bestätigt. Danach geht das Älteste verloren.",
            "{site} can keep for another {x} h what the database does not confirm. After that the oldest readings go.",
        ),
        ask=last("spool_hours_left", by=SITE),
        range_s=HOUR_S,
        wrong="$X < 6",  # a night's rest: less than that, and somebody must get up
        lasting_s=10 * MINUTE_S,
    ),
    Rule(
        name="readings-lost",
        group=Group.GATEWAYS,
        severity=Severity.HIGH,
        title=Text("Messwerte verloren", "Readings lost"),
        meaning=Text(
            "{site} hat in einer Stunde {x} Messwerte aufgegeben, weil kein Platz mehr war.",
            "{site} has given up {x} readings within an hour for want of room.",
        ),
        ask=growth("dropped", SITE),
        range_s=HOUR_S,
        wrong=SOME,  # the promise is: none
        lasting_s=0,
    ),
    Rule(
        name="backlog",
        group=Group.GATEWAYS,
        severity=Severity.MEDIUM,
        title=Text("Messwerte stauen sich", "Readings pile up"),
        meaning=Text(
            "Bei {site} wartet der älteste Messwert seit {x} h. Das Gateway ist zu hören, aber es wird nicht fertig.",
            "At {site} the oldest reading has waited for {x} h. The gateway is heard, but it does not catch up.",
        ),
        ask=once("spool_age", 'last("value") / 3600', by=SITE),
        range_s=30 * MINUTE_S,
        wrong="$X > 1",
        lasting_s=30 * MINUTE_S,  # a day of three gateways drains in less
    ),
    Rule(
        name="clock-not-set",
        group=Group.GATEWAYS,
        severity=Severity.MEDIUM,
        title=Text("Uhr nicht gestellt", "Clock is not set"),
        meaning=Text(
            "Die Uhr von {site} ist nicht gestellt; seine Messwerte warten ohne Zeit, der Hof hat keine Zahl.",
            "The clock of {site} is not set; its readings wait without a time, its yard has no number.",
        ),
        ask=last("clock_synchronised", by=SITE),
        range_s=HOUR_S,
        wrong="$X < 0.5",
        lasting_s=15 * MINUTE_S,  # after a start it takes minutes
    ),
    Rule(
        name="clock-wrong",
        group=Group.GATEWAYS,
        severity=Severity.MEDIUM,
        title=Text("Uhr geht falsch", "Clock is wrong"),
        meaning=Text(
            "Die Uhr von {site} geht um {x} s anders als die der Satelliten.",
            "The clock of {site} is {x} s off the satellites' time.",
        ),
        ask=last("clock_offset", by=SITE),
        range_s=3 * HOUR_S,  # an hourly average is often enough
        wrong="abs($X) > 1",  # some tenths are the receiver's own delay
        lasting_s=10 * MINUTE_S,
    ),
    Rule(
        name="certificate-ends",
        group=Group.GATEWAYS,
        severity=Severity.MEDIUM,
        title=Text("Zertifikat läuft ab", "Certificate is about to end"),
        meaning=Text(
            "Das Zertifikat von {site} gilt noch {x} Tage. Danach lässt der Broker das Gateway nicht mehr herein.",
            "The certificate of {site} is valid for another {x} days. After that the broker lets the gateway in no more.",
        ),
        ask=once("certificate_left", 'last("value") / 86400', by=SITE),
        range_s=3 * DAY_S,  # it is told once a day
        wrong="$X < 30",  # a month with a holiday in it; the gateway itself has tried for a year
        lasting_s=0,
    ),
    Rule(
        name="disk-full",
        group=Group.GATEWAYS,
        severity=Severity.MEDIUM,
        title=Text("Platte fast voll", "Disk is nearly full"),
        meaning=Text("Auf der Platte von {site} sind noch {x} % frei.", "{x} % of the disk of {site} are free."),
        ask=once("disk_free", 'last("value") * 100', by=SITE),
        range_s=2 * DAY_S,  # told when it moves, and once a day
        wrong="$X < 10",  # what systems keep for themselves: 5 %, and as much to act in
        lasting_s=10 * MINUTE_S,
    ),
    Rule(
        name="receipts-slow",
        group=Group.GATEWAYS,
        severity=Severity.MEDIUM,
        title=Text("Empfangsbestätigungen dauern zu lange", "Receipts take too long"),
        meaning=Text(
            "Vom Absenden bis zur Bestätigung vergehen bei {site} {x} s im Mittel einer Viertelstunde.",
            "From batch to receipt it takes {x} s at {site}, mean of a quarter of an hour.",
        ),
        ask=once("receipt_latency", 'mean("value")', by=SITE),
        range_s=15 * MINUTE_S,
        wrong="$X > 30",  # from half a minute on batches go twice
        lasting_s=15 * MINUTE_S,
    ),
    Rule(
        name="port-closed",
        group=Group.GATEWAYS,
        severity=Severity.MEDIUM,
        title=Text("Sensor nicht angeschlossen", "Sensor is not connected"),
        meaning=Text(
            "Der Anschluss {sensor} an {site} lässt sich nicht öffnen: Stecker, Hub oder Strom des Sensors.",
            "The port {sensor} at {site} cannot be opened: plug, hub, or power of the sensor.",
        ),
        ask=last("port_open", by=PORT),
        range_s=HOUR_S,
        wrong="$X < 0.5",
        lasting_s=10 * MINUTE_S,  # who changes a sensor needs that long
    ),
    Rule(
        name="batches-refused",
        group=Group.GATEWAYS,
        severity=Severity.MEDIUM,
        title=Text("Gateway sendet Unbrauchbares", "Gateway sends what is of no use"),
        meaning=Text(
            "Von {site} wurden in einer Stunde {x} Messwerte abgelehnt; sie liegen dort in der Quarantäne.",
            "{x} readings of {site} were refused within an hour; they lie in its quarantine there.",
        ),
        ask=growth("quarantined", SITE),
        range_s=HOUR_S,
        wrong=SOME,
        lasting_s=0,
    ),
)

PLATFORM = (
    Rule(
        name="nothing-stored",
        group=Group.PLATFORM,
        severity=Severity.HIGH,
        title=Text("Es kommen gar keine Daten", "No data at all"),
        meaning=Text(
            "In einer Viertelstunde kam von keinem Gateway etwas in die Datenbank, oder sie antwortet nicht.",
            "For a quarter of an hour nothing of any gateway has come into the database, or it does not answer.",
        ),
        ask=once("uptime", 'count("value")', GATEWAY),
        range_s=15 * MINUTE_S,
        wrong=NONE_LATELY,
        lasting_s=2 * MINUTE_S,  # a restart of the database takes less
        silence=Silence.ALARM,  # this is what it is for
        trouble=Trouble.ALARM,  # the one rule that says it when Grafana cannot ask
    ),
    Rule(
        name="worker-silent",
        group=Group.PLATFORM,
        severity=Severity.MEDIUM,  # another worker goes on with its work; where there is none, `nothing-stored` says it
        title=Text("Ingest schweigt", "Ingest is silent"),
        meaning=Text(
            "{site} schweigt seit einer Viertelstunde. Nichts geht verloren, solange die Gateways Platz haben.",
            "{site} has said nothing of itself for a quarter of an hour. Nothing is lost while the gateways have room.",
        ),
        ask=silence("uptime", SITE, WORKER),
        range_s=DAY_S,
        wrong=NONE_LATELY,
        lasting_s=5 * MINUTE_S,
    ),
    Rule(
        name="quarantine-grows",
        group=Group.PLATFORM,
        severity=Severity.MEDIUM,
        title=Text("Quarantäne wächst", "Quarantine grows"),
        meaning=Text(
            "In einer Stunde kamen {x} Pakete in die Quarantäne von {site}. Oft fehlt nur eine Zeile im Katalog.",
            "{x} packs came into the quarantine of {site} within an hour. Often a line is missing in the catalogue.",
        ),
        ask=growth("quarantine_packs", SITE),
        range_s=HOUR_S,
        wrong=SOME,
        lasting_s=0,
    ),
    Rule(
        name="quarantine-full",
        group=Group.PLATFORM,
        severity=Severity.HIGH,
        title=Text("Quarantäne voll", "Quarantine is full"),
        meaning=Text(
            "{site} hat {x} Pakete aufgegeben, weil die Quarantäne voll ist. Die sind weg.",
            "{site} has given up {x} packs because its quarantine is full. Those are gone.",
        ),
        ask=growth("quarantine_dropped", SITE),
        range_s=HOUR_S,
        wrong=SOME,
        lasting_s=0,
    ),
    Rule(
        name="store-refuses",
        group=Group.PLATFORM,
        severity=Severity.MEDIUM,
        title=Text("Datenbank nimmt nichts an", "Database does not take what is written"),
        meaning=Text(
            "{site} musste in einer Viertelstunde {x}-mal neu schreiben. Nichts geht verloren, solange die Gateways Platz haben.",
            "{site} had to write again {x} times within a quarter of an hour. Nothing is lost while the gateways have room.",
        ),
        ask=growth("store_errors", SITE),
        range_s=15 * MINUTE_S,
        wrong="$X > 5",  # a restart of the database costs fewer
        lasting_s=5 * MINUTE_S,
    ),
)
