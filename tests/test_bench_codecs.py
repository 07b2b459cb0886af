"""The bench of the codecs: what it is quick at is worth something."""

import pytest

from bench.codecs import all_codecs
from firmware_bridge.frames import Noise


@pytest.mark.parametrize("name", all_codecs())
def test_the_good_frames_of_the_bench_hold_no_noise_and_say_something(name: str) -> None:
    codec = all_codecs()[name]

    said = list(codec.decoder().feed(3 * codec.frames))

    assert len(said) >= 3
    assert [item for item in said if isinstance(item, Noise)] == []
