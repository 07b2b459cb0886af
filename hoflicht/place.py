"""Where a session at the broker lives, and when it comes back to a broker that it has lost."""

import random
from typing import NamedTuple


class Place(NamedTuple):
    """Where a session lives: how soon broker and session notice that the other is gone, and over which time those that have lost
    the broker come back to it, at first and after a long outage; all in seconds.
    """

    keepalive_s: int  # MQTT 5 §3.1.2.10: the broker gives up after one and a half of it
    least_spread_s: float
    most_spread_s: float


# The few roles beside the broker. Until they are back every gateway waits for them; and of what the broker has given to an ingest
# worker that hangs, it gives nothing to the other workers before it has noticed.
SERVER = Place(10, 2.0, 2.0)
# Thousands, on mobile data. Two thousand come back at some 130 a second; later would be calmer still, but a yard has no number
# after a minute of silence, and that minute must do for two tries and a receipt.
GATEWAY = Place(30, 15.0, 60.0)


def pause_s(away_s: float, place: Place) -> float:
    """How long to wait before the next try to reach a broker that has been away for `away_s`; drawn anew each time.

    Two thousand gateways lose a broker at one moment and must not come back at one, so the first pause is spread too. The limit
    grows with the time that has passed, which is the same for all, not with the tries, which are not: were it doubled at each try,
    those that have just drawn short pauses would come back together, up to nine times as many a second as on average.
    """
    return random.uniform(0, min(max(away_s, place.least_spread_s), place.most_spread_s))
