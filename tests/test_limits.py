"""How much one address may ask for."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.config import ApiConfig
from api.limits import Buckets, Callers
from hoflicht.clock import HandClock
from hoflicht.config import load
from hoflicht.errors import BadConfig


def test_a_bucket_gives_its_burst_at_once_and_then_what_flows_in() -> None:
    clock = HandClock()
    buckets = Buckets(per_s=2, burst=3, clock=clock)

    at_once = [buckets.take("a") for _ in range(4)]
    clock.advance(500)
    after_half_a_second = [buckets.take("a") for _ in range(2)]

    assert at_once == [0, 0, 0, 1]
    assert after_half_a_second == [0, 1]


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    clock = HandClock()
    buckets = Buckets(per_s=2, burst=3, clock=clock)
    buckets.take("a")
    clock.advance(3_600_000)

    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 1]


def test_who_is_told_to_wait_is_served_after_it() -> None:
    clock = HandClock()
    buckets = Buckets(per_s=1 / 60, burst=1, clock=clock)
    buckets.take("a")

    told_s = buckets.take("a")
    clock.advance(told_s * 1_000)

    assert told_s == 60
    assert buckets.take("a") == 0


def test_looking_takes_no_token() -> None:
    buckets = Buckets(per_s=1, burst=1, clock=HandClock())

    assert [buckets.wait_s("a") for _ in range(5)] == [0] * 5


def test_each_caller_has_a_bucket_of_his_own() -> None:
    buckets = Buckets(per_s=1, burst=1, clock=HandClock())

    assert [buckets.take(name) for name in ("a", "a", "b")] == [0, 1, 0]


def test_the_table_forgets_who_was_quiet_longest_and_never_grows_beyond_its_bound() -> None:
    buckets = Buckets(per_s=1, burst=1, clock=HandClock(), max_callers=2)
    for name in ("a", "b", "c"):
        buckets.take(name)

    assert len(buckets) == 2
    assert [buckets.wait_s(name) for name in ("a", "b", "c")] == [0, 1, 1]


@given(st.lists(st.integers(0, 3_000), max_size=60))
def test_no_rhythm_gets_more_than_burst_and_flow_together(pauses_ms: list[int]) -> None:
    clock = HandClock()
    buckets = Buckets(per_s=2, burst=3, clock=clock)
    served = 0
    for pause_ms in pauses_ms:
        clock.advance(pause_ms)
        served += buckets.take("a") == 0

    assert served <= 3 + 2 * sum(pauses_ms[1:]) / 1_000


@pytest.mark.parametrize(
    ("host", "caller"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),  # a household has all of them
        ("fe80::1%eth0", "fe80::/64"),
        ("no address", "no address"),
        ("x" * 9_000, "x" * 64),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("172.18.0.1", None),
    ],
)
def test_what_counts_as_one_caller(host: str, caller: str | None) -> None:
    assert Callers(("127.0.0.0/8", "::1", "172.16.0.0/12")).name(host) == caller


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('proxies = ["proxy.example.org"]', "[limits] 'proxy.example.org' does not appear to be an IPv4 or IPv6 network"),
        ('proxies = ["10.0.0.1/8"]', "[limits] 10.0.0.1/8 has host bits set"),
        ("requests_per_s = 0", "[limits] requests_per_s: Expected `float` > 0"),
        ("burst = 0", "[limits] burst: Expected `int` >= 1"),
    ],
)
def test_a_limit_that_is_none_is_told_at_the_start(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "api.toml"
    path.write_text(f'city = "city.toml"\n[store]\nurl = "sqlite:///readings.db"\n[limits]\n{line}\n')

    with pytest.raises(BadConfig) as told:
        load(path, ApiConfig)

    assert complaint in str(told.value)
