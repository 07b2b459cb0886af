"""FAULTS: what can be wrong with a lamp or a cabinet, by TALQ's names; each is a quantity that is 1 while it lasts."""

import enum
from collections.abc import Mapping

import msgspec


class Severity(enum.IntEnum):
    """How soon somebody must go there."""

    LOW = 0  # with the next tour
    MEDIUM = 1  # within days
    HIGH = 2  # tonight: it is dark, or somebody may be hurt


class Fault(msgspec.Struct, frozen=True):
    """A fault. `number` stands for it in the quantity `acknowledged`, and is never given to another."""

    number: int
    talq: str  # name of the event in TALQ 2.7.1
    severity: Severity
    de: str
    en: str


LOW, MEDIUM, HIGH = Severity
FAULTS: Mapping[str, Fault] = {  # by quantity
    "lamp_failure": Fault(1, "lampFailure", HIGH, "Lampe leuchtet nicht", "lamp does not light"),
    "lamp_unexpected_on": Fault(2, "lampUnexpectedOn", LOW, "Lampe brennt am Tag", "lamp burns by day"),
    "cycling_failure": Fault(3, "cyclingFailure", MEDIUM, "Lampe geht von selbst aus und an", "lamp goes off and on by itself"),
    "dimming_failure": Fault(4, "dimmingFailure", LOW, "Lampe lässt sich nicht dimmen", "lamp cannot be dimmed"),
    "lamp_power_too_high": Fault(5, "lampPowerTooHigh", MEDIUM, "Lampe nimmt zu viel Leistung auf", "lamp takes too much power"),
    "lamp_power_too_low": Fault(6, "lampPowerTooLow", MEDIUM, "Lampe nimmt zu wenig Leistung auf", "lamp takes too little power"),
    "supply_loss": Fault(7, "supplyLoss", HIGH, "Netzspannung fehlt", "no mains voltage"),
    "high_temperature": Fault(8, "highTemperature", MEDIUM, "Leuchte zu heiß", "luminaire too hot"),
    "control_gear_comm_failure": Fault(
        9, "controlGearCommFailure", MEDIUM, "Vorschaltgerät antwortet nicht", "driver does not answer"
    ),
    "cabinet_door_open": Fault(10, "cabinetDoorOpen", HIGH, "Schaltschrank steht offen", "cabinet is open"),
    # Nobody measures this one: the api sees that a site has fallen silent.
    "communication_failure": Fault(11, "communicationFailure", MEDIUM, "Nichts zu hören", "nothing is heard"),
}
