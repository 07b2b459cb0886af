"""One measurement."""

import re

import msgspec

MAX_ID = 63  # characters of a site, sensor or gateway id; also an MQTT topic level and an Influx tag value
ID_FORM = f"lower case letters, digits, hyphens and underscores, at most {MAX_ID}"
ID = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{MAX_ID - 1}}}")


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What one sensor said at one instant.

    A reading is a point: (quantity, site, sensor, at_ms) is its key, so that the same reading sent twice is stored once.
    """

    site: str
    sensor: str
    quantity: str  # a name of hoflicht.quantities; its unit stands there
    at_ms: int  # Unix epoch, UTC, by the gateway's clock
    value: float  # finite; a state or alarm is 0 or 1


def is_id(text: str) -> bool:
    """Tell whether `text` may name a site, sensor or gateway: lower case, digits, hyphens, underscores; at most 63 characters."""
    return ID.fullmatch(text) is not None
