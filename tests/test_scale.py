"""docs/scale.md: its later tables follow from its first and from that of docs/capacity.md."""

import pytest

from bench import scale

PAGE = scale.DOCUMENT.read_text(encoding="utf-8")
# 24 lamps of 100 readings at one gateway of 2 400: 4 800 a day.
SMALL = scale.inputs() | {
    "lamp_readings": 100,
    "gateway_readings": 2_400,
    "lamp_series": 10,
    "gateway_series": 60,
    "peak": 2,
    "full": 0.5,
}


def test_the_tables_follow_from_the_figures() -> None:
    told = scale.inputs()

    assert "\n".join(scale.rows(told)) in PAGE
    assert "\n".join(scale.ends(told)) in PAGE


def test_a_place_is_small_enough_to_be_reckoned_by_hand() -> None:
    column = scale.column(24 * 180, 0, SMALL)

    assert column["gateways"] == "180"
    assert column["readings a second, mean and peak"] == "10, 20"  # 864 000 a day
    assert column["batches a second, mean"] == "0"
    assert column["store: series"] == "54 000"  # 240 and 60 at each
    assert column["store: hourly task, GB and share of the hour"] == "3, 2 %"  # of 57 kB and 1.1 ms each
    assert column["€ a month: SIMs"] == "540"


@pytest.mark.parametrize(
    ("part", "lamps"),
    [
        ("hourly task: memory of one InfluxDB", 8e6 / 57 / 12.5),  # 8 GB; 12.5 series a lamp
        ("one Mosquitto: all come back after an outage", 24 * 60 / 0.002 * 0.5),  # 60 s, 2 ms each, half of a core
        ("ports of one address before the broker", 24 * 60_000),
    ],
)
def test_where_a_part_ends_is_where_it_is_full(part: str, lamps: float) -> None:
    assert scale.limits(SMALL)[part] == pytest.approx(lamps, rel=1e-4)


def test_a_reader_puts_in_a_price_of_his_own(capsys: pytest.CaptureFixture[str]) -> None:
    scale.main(["240", "0", "sim_eur=10"])

    assert "| € a month: SIMs | 100 |" in capsys.readouterr().out
