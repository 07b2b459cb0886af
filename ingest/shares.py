"""No gateway keeps the others waiting: of each, a group takes what a gateway that keeps to its window has under way, and no more.

What is beyond is left unopened, unstored and unanswered, which takes far less time; its gateway has it still and sends it again. A
gateway that sent batches of 500 readings as fast as it could, waiting for no receipt, kept three others waiting for more than 10 s.
"""

import logging
from collections import Counter

from hoflicht import batch, topics
from hoflicht.broker import Received
from ingest.health import BATCHES

log = logging.getLogger(__name__)

MOST = batch.WINDOW * batch.MAX_READINGS  # readings
MAX_TOLD = 1_000  # gateways whose flood was told of; more than that nobody reads


class Shares:
    """How many readings of the present group each gateway has."""

    def __init__(self) -> None:
        self._readings: Counter[str] = Counter()
        self._told: set[str] = set()

    def begin(self) -> None:
        """A new group begins."""
        self._readings.clear()

    def count(self, received: Received, readings: int) -> None:
        """`received` is in the group, with so many readings."""
        self._readings[received.message.topic] += readings

    def has_room(self, received: Received) -> bool:
        """Whether the gateway of `received` may have one more batch in this group."""
        topic = received.message.topic
        if self._readings[topic] < MOST:
            return True
        BATCHES.labels("surplus").inc()
        if topic not in self._told and len(self._told) < MAX_TOLD:
            self._told.add(topic)
            log.warning("%s sends without waiting for receipts; what is beyond its share is left to it", topics.gateway_of(topic))
        return False
