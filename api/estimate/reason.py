"""Why there is no number, in the words of the API; the pages say the same in their own languages."""

import enum


class Reason(enum.StrEnum):
    """The closed list of what `Wait.reason` may say."""

    NO_SENSORS = "no sensor tells how long the queue is"
    SILENT = "the sensors are silent"
    UNSTEADY = "the lane sensors see nothing steady"
    GATE_COUNTER = "the counter at the gate is silent"
    TAIL_COUNTER = "the counter at the end of the queue is silent"
    COUNTER_OUT = "a counter is out and the queue has drifted out of knowledge"
    GATE_HELD = "the gate is held"
    STAFF = "staff let nobody in for now"
    STANDSTILL = "cars stand and nobody is let in"
    OUT_OF_SIGHT = "the queue is longer than its sensors reach"
    TOO_WIDE = "too uncertain for a number"
    STORE_AWAY = "the database does not answer"
