"""The score of estimates against what came true."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from api.estimate.score import Car, Estimate, main, pinball, score
from hoflicht import BadConfig

ESTIMATES = """time_s,state,wait_s,p10_s,p90_s,queue
1000,open,600,300,900,4
1030,open,660,360,960,5
1060,unknown,,,,
"""
TRUTH = """arrival_t,wait_s
1000,480
1030.5,1200
1060,600
2000,600
"""


def told(time_s: float, wait_s: float | None) -> Estimate:
    return Estimate(time_s, wait_s, None, None)


def test_a_car_is_scored_with_the_estimate_of_its_instant() -> None:
    measured = score([told(1000, 60), told(1030, 120), told(1060, 180)], [Car(1030, 120)])

    assert (measured.n_scored, measured.mae_min) == (1, 0.0)


def test_else_with_the_last_one_before_it() -> None:
    measured = score([told(1000, 60), told(1030, 120), told(1060, 180)], [Car(1059.9, 120)])

    assert (measured.n_scored, measured.mae_min) == (1, 0.0)


def test_of_several_at_one_instant_the_last_counts() -> None:
    assert score([told(1000, 60), told(1000, 120)], [Car(1000, 120)]).mae_min == 0.0


@pytest.mark.parametrize(("arrival_t", "n_scored"), [(999.0, 0), (1000.0, 1), (1120.0, 1), (1120.5, 0)])
def test_no_estimate_is_older_than_two_minutes(arrival_t: float, n_scored: int) -> None:
    measured = score([told(1000, 60)], [Car(arrival_t, 120)])

    assert (measured.n_scored, measured.n_unscored) == (n_scored, 1 - n_scored)


def test_an_estimate_without_a_number_scores_nobody() -> None:
    measured = score([told(1000, 60), told(1030, None)], [Car(1040, 120)])

    assert (measured.n_scored, measured.n_unscored, measured.mae_min) == (0, 1, None)


def test_errors_are_estimate_less_truth_in_minutes() -> None:
    measured = score([told(0, 600), told(60, 600)], [Car(0, 360), Car(60, 960)])

    assert measured.mean_wait_min == 11.0
    assert measured.mae_min == 5.0  # 4 too much, 6 too little
    assert measured.rmse_min == pytest.approx(26**0.5)
    assert measured.bias_min == -1.0
    assert measured.pinball_50_min == 2.5
    assert measured.within_3_min == 0.0


def test_within_three_minutes_includes_three_minutes() -> None:
    measured = score([told(0, 600)], [Car(0, 420), Car(0, 780), Car(0, 781), Car(0, 419)])

    assert measured.within_3_min == 0.5


def test_the_band_covers_its_ends() -> None:
    measured = score([Estimate(0, 600, 300, 900)], [Car(0, 300), Car(0, 900), Car(0, 299), Car(0, 901)])

    assert (measured.n_band, measured.coverage_10_90) == (4, 0.5)


def test_a_number_without_a_band_is_left_out_of_the_coverage() -> None:
    measured = score([Estimate(0, 600, 300, 900), told(60, 600)], [Car(0, 600), Car(60, 600)])

    assert (measured.n_scored, measured.n_band, measured.coverage_10_90) == (2, 1, 1.0)


@pytest.mark.parametrize(
    ("share", "told_s", "loss"),
    [
        (0.9, 500.0, 90.0),  # 100 above what was told: nine times out of ten it should not be
        (0.9, 700.0, 10.0),
        (0.1, 500.0, 10.0),
        (0.1, 700.0, 90.0),
        (0.5, 700.0, 50.0),
        (0.5, 600.0, 0.0),
    ],
)
def test_the_pinball_loss_of_a_wait_of_ten_minutes(share: float, told_s: float, loss: float) -> None:
    assert pinball(share, told_s, 600.0) == pytest.approx(loss)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "estimates.csv").write_text(ESTIMATES)
    (tmp_path / "truth.csv").write_text(TRUTH)
    return tmp_path


def arguments(folder: Path, *more: str) -> list[str]:
    return [str(folder / "estimates.csv"), str(folder / "truth.csv"), *more]


def test_a_person_reads_one_measure_a_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(arguments(folder))

    assert code == 0
    assert capsys.readouterr().out.splitlines() == [
        "cars scored             2",
        "cars not scored         2",
        "mean true wait          14.00 min",
        "mean absolute error     5.50 min",
        "root mean square error  6.52 min",
        "bias                    -3.50 min (above 0: told too long)",
        "pinball loss at 10 %    0.85 min",
        "pinball loss at 50 %    2.75 min",
        "pinball loss at 90 %    2.15 min",
        "coverage of p10 to p90  50.0 % of 2 cars with a band (aim: 80 %)",
        "within 3 minutes        50.0 %",
    ]


def test_a_program_reads_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(arguments(folder, "--json"))

    measured = json.loads(capsys.readouterr().out)
    assert (measured["n_scored"], measured["n_unscored"], measured["mae_min"]) == (2, 2, 5.5)


def test_some_days_of_many_can_be_scored(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(arguments(folder, "--json", "--from", "1030.5", "--until", "2000"))

    measured = json.loads(capsys.readouterr().out)
    assert (measured["n_scored"], measured["n_unscored"]) == (1, 1)


def test_where_nobody_can_be_scored_it_has_failed(folder: Path) -> None:
    command = [sys.executable, "-m", "hoflicht", "score", *arguments(folder, "--from", "2000")]

    answer = subprocess.run(command, capture_output=True, text=True, check=False)

    assert answer.returncode == 1
    assert answer.stderr == f"hoflicht score: no car of {folder / 'truth.csv'} has an estimate in {folder / 'estimates.csv'}\n"


def test_estimates_of_another_program_need_two_columns_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "estimates.csv").write_text("\ufeffwait_s, time_s\n600,1000\n660,1030\n")

    main(arguments(folder))

    assert "coverage of p10 to p90  - of 0 cars with a band" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "before", "after", "expected"),
    [
        ("estimates.csv", "time_s", "time", ", line 1: the header has no time_s; it is: time,state,wait_s,p10_s,p90_s,queue"),
        ("estimates.csv", ESTIMATES, "", ", line 1: the header has no time_s, wait_s; it is: empty"),
        ("estimates.csv", "660", "11 min", ", line 3: wait_s is '11 min', not a number"),
        ("estimates.csv", "660", "nan", ", line 3: wait_s is 'nan', not a number"),
        ("estimates.csv", "1030", "930", ", line 3: time_s goes back; rows stand in order of time"),
        ("estimates.csv", "900,4", "900", ", line 2: 5 columns, but the header has 6"),
        ("truth.csv", "1200", "", ", line 3: wait_s is '', not a number"),
        ("truth.csv", "wait_s", "waited", ", line 1: the header has no wait_s; it is: arrival_t,waited"),
    ],
)
def test_a_mistake_is_named(folder: Path, name: str, before: str, after: str, expected: str) -> None:
    path = folder / name
    path.write_text(path.read_text().replace(before, after))

    with pytest.raises(BadConfig) as caught:
        main(arguments(folder))

    assert str(caught.value) == f"{path}{expected}"


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "truth.csv").unlink()

    with pytest.raises(BadConfig) as caught:
        main(arguments(folder))

    assert str(caught.value) == f"{folder / 'truth.csv'}: cannot be read (No such file or directory)"
