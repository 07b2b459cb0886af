"""Line protocol."""

from hypothesis import given
from hypothesis import strategies as st

from hoflicht import Reading
from store.lines import lines, readings_of


def test_a_reading_is_one_line_with_milliseconds() -> None:
    written = lines([Reading("hof-west", "air", "temperature", 1_700_000_000_123, 21.5)])

    assert written == b"temperature,sensor=air,site=hof-west value=21.5 1700000000123"


def test_readings_are_separated_by_line_breaks() -> None:
    written = lines([Reading("a", "x", "passage", 1, 1.0), Reading("a", "y", "passage", 2, 2.0)])

    assert written == b"passage,sensor=x,site=a value=1.0 1\npassage,sensor=y,site=a value=2.0 2"


def test_a_whole_number_is_no_influx_integer() -> None:
    written = lines([Reading("a", "x", "passage", 1, 3)])

    assert written == b"passage,sensor=x,site=a value=3 1"  # an integer would end in "i"


READINGS = st.builds(
    Reading,
    site=st.sampled_from(["hof-west", "a"]),
    sensor=st.sampled_from(["air", "lane_2"]),
    quantity=st.sampled_from(["temperature", "pm2_5"]),
    at_ms=st.integers(0, 4_102_444_800_000),
    value=st.floats(allow_nan=False, allow_infinity=False),
)


@given(st.lists(READINGS, max_size=5))
def test_what_was_written_is_read_again_to_the_last_digit(readings: list[Reading]) -> None:
    assert readings_of(lines(readings)) == readings
