"""Every MQTT topic, built and read in this one place."""

from hoflicht.reading import is_id

ROOT = "hoflicht/v1"
WORDED = "w1"  # the encoding of batches that go without a word about themselves: hoflicht.words
SHORT = "hl"  # root of the one topic that is written in each message to a gateway
# One worker of the group gets each batch, so that any number of identical workers share the gateways (MQTT 5 §4.8.2).
ALL_READINGS = f"$share/ingest/{ROOT}/+/readings"
ALL_BATCHES = f"$share/ingest/{ROOT}/+/{WORDED}"
# The kinds of desired and reported.
CONFIG = "config"  # a gateway's own file
LIGHT = "light"  # its lamps: hoflicht.shadow
ALL_LIGHT = f"{ROOT}/+/reported/{LIGHT}"
ALL_WAITS = f"{ROOT}/yards/+/wait"


def batches(gateway: str) -> str:
    """Batches of a gateway: SenML in the encoding that the topic names, answered at `answers`."""
    return f"{ROOT}/{gateway}/{WORDED}"


def answers(gateway: str) -> str:
    """Receipts of `batches`."""
    return f"{SHORT}/{gateway}"


def readings(gateway: str) -> str:
    """Batches of a gateway that say themselves what they are and where the receipt goes."""
    return f"{ROOT}/{gateway}/readings"


def receipts(gateway: str) -> str:
    """Receipts of `readings`."""
    return f"{ROOT}/{gateway}/receipts"


def state(gateway: str) -> str:
    """Birth and last will of a gateway, retained."""
    return f"{ROOT}/{gateway}/state"


def desired(gateway: str, kind: str) -> str:
    """What a gateway shall do, retained."""
    return f"{ROOT}/{gateway}/desired/{kind}"


def reported(gateway: str, kind: str) -> str:
    """What has become of that, retained."""
    return f"{ROOT}/{gateway}/reported/{kind}"


def wait(yard: str) -> str:
    """The present waiting time of a yard, retained with an expiry."""
    return f"{ROOT}/yards/{yard}/wait"


def gateway_of(topic: str) -> str | None:
    """Name the gateway that `topic` belongs to, or None where it is no topic of a gateway."""
    parts = topic.split("/")
    if len(parts) != 4 or f"{parts[0]}/{parts[1]}" != ROOT or not is_id(parts[2]):
        return None
    return parts[2]


def is_worded(topic: str) -> bool:
    """Tell whether this is a gateway's `batches`."""
    return topic.endswith(f"/{WORDED}")
