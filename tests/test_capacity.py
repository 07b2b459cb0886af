"""docs/capacity.md: its second table follows from its first."""

import pytest

from bench import capacity

TABLE = capacity.DOCUMENT.read_text(encoding="utf-8")


def test_the_table_of_cities_follows_from_the_figures_above_it() -> None:
    told = capacity.inputs()

    assert len(told) == 23
    assert "\n".join(capacity.rows(told)) in TABLE


def test_one_yard_is_small_enough_to_be_reckoned_by_hand() -> None:
    told = capacity.inputs()

    # 60 000 + 41 760 readings; an estimate of 10 ms each 5 s; 92 series; 10.4 bytes for 90 days, 4 hourly values for 5 years;
    # 3060 kB * 1.5 * 30 days; 20 + 3 €
    assert capacity.row(0, 1, told) == "| 0 | 1 | 1 | 101 760 | 0.2 | 5 MB | 0.3 GB | 138 MB | 23 |"


@pytest.mark.parametrize(
    ("asked", "euro"), [(["0", "1"], "23"), (["0", "1", "sim_eur=10"], "30"), (["24", "1", "server_eur=0"], "6")]
)
def test_a_reader_puts_in_prices_of_his_own(asked: list[str], euro: str, capsys: pytest.CaptureFixture[str]) -> None:
    capacity.main(asked)

    assert capsys.readouterr().out.splitlines()[-1].split("|")[-2].strip() == euro
