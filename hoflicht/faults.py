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


FAULTS: Mapping[str, Fault] = {  # by quantity
    "lamp_failure": Fault(1, "lampFailure", Severity.HIGH),
    "lamp_unexpected_on": Fault(2, "lampUnexpectedOn", Severity.LOW),
    "cycling_failure": Fault(3, "cyclingFailure", Severity.MEDIUM),
    "dimming_failure": Fault(4, "dimmingFailure", Severity.LOW),
    "lamp_power_too_high": Fault(5, "lampPowerTooHigh", Severity.MEDIUM),
    "lamp_power_too_low": Fault(6, "lampPowerTooLow", Severity.MEDIUM),
    "supply_loss": Fault(7, "supplyLoss", Severity.HIGH),
    "high_temperature": Fault(8, "highTemperature", Severity.MEDIUM),
    "control_gear_comm_failure": Fault(9, "controlGearCommFailure", Severity.MEDIUM),
    "cabinet_door_open": Fault(10, "cabinetDoorOpen", Severity.HIGH),
    # Nobody measures this one: the api sees that a site has fallen silent.
    "communication_failure": Fault(11, "communicationFailure", Severity.MEDIUM),
}
