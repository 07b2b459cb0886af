"""One connection to a broker, from the try on: whether it came up, why it ended, which topics have a number there."""

import threading
from typing import NamedTuple


class Alias(NamedTuple):
    """A topic's number at one connection (MQTT 5 §3.3.2.3.4)."""

    number: int
    is_known: bool  # the broker has been told, and the number alone will do


class Attempt:
    """One connection: whether it came up, and why it ended."""

    def __init__(self) -> None:
        self.settled = threading.Event()  # up, or ended before it was
        self.ended = threading.Event()
        self.is_up = False  # and stays so: whoever was told Connected is told Lost
        self.is_refused = False
        self.reason = ""
        self.most_aliases = 0  # that the broker takes
        self._aliases: dict[str, int] = {}  # by topic

    def alias(self, topic: str) -> Alias | None:
        """The number of `topic`, a new one as long as the broker takes some; None: it must be written."""
        if topic in self._aliases:
            return Alias(self._aliases[topic], is_known=True)
        if len(self._aliases) >= self.most_aliases:
            return None
        self._aliases[topic] = len(self._aliases) + 1
        return Alias(self._aliases[topic], is_known=False)

    def end(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.ended.set()
        self.settled.set()

    def refuse(self, reason: str) -> None:
        self.is_refused = True
        self.end(reason)
