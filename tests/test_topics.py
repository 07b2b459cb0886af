"""MQTT topics."""

from collections.abc import Callable

import pytest

from hoflicht import topics


@pytest.mark.parametrize("topic", [topics.batches, topics.readings, topics.receipts, topics.state])
def test_a_gateway_is_read_back_from_its_topics(topic: Callable[[str], str]) -> None:
    assert topics.gateway_of(topic("gw-1")) == "gw-1"


@pytest.mark.parametrize(
    "topic", ["", "hoflicht/v1", "hoflicht/v2/gw/readings", "hoflicht/v1/GW/readings", "hoflicht/v1/yards/n/wait"]
)
def test_other_topics_belong_to_no_gateway(topic: str) -> None:
    assert topics.gateway_of(topic) is None


def test_batches_that_say_nothing_of_themselves_have_a_topic_of_their_own() -> None:
    assert (topics.is_worded(topics.batches("gw-1")), topics.is_worded(topics.readings("gw-1"))) == (True, False)
