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


@pytest.mark.parametrize(
    ("topic", "gateway"), [("hoflicht/v1/gw-1/w1", "gw-1"), ("hoflicht/v1/gw-1/readings", None), ("hoflicht/v1/GW/w1", None)]
)
def test_batches_that_say_nothing_of_themselves_have_a_topic_of_their_own(topic: str, gateway: str | None) -> None:
    assert topics.batching(topic) == gateway
