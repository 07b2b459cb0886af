"""What everybody is told of counts and lamps is told by whole minutes.

Finer steps would tell single cars apart, and with them people; so would the difference of two answers whose steps do not begin and
end at the same instants, a sum that grows while one looks, and the instant at which a lamp was raised for somebody who came by.
"""

MINUTE_S = 60
MINUTE_MS = MINUTE_S * 1000


def cut(at_ms: int) -> int:
    """The whole minute that holds `at_ms`."""
    return at_ms // MINUTE_MS * MINUTE_MS
