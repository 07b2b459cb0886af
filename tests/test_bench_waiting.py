"""The bench of the waiting time: its days, what one would pick instead, and its table."""

import datetime as dt
import random
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from bench.waiting import references, table
from bench.waiting.days import Day, learnt, scored
from bench.waiting.scenarios import BASE, CLEAN, CONTROL, LANE, SCENARIOS, YARD
from bench.waiting.score import number_s, score
from hoflicht.hours import OpenPeriod, period_on
from hoflicht.reading import Reading
from hoflicht.wait import State, Wait
from simulators.demand import constant
from simulators.yard import Car, Opening

CITY = SCENARIOS["clean"].city(seed=0)
ON = SCENARIOS["clean"].on
COUNTED_AT_THE_GATE = replace(BASE, sensors=LANE | CONTROL)


def the_period() -> OpenPeriod:
    period = period_on(ON, BASE.hours, CITY)
    assert period is not None
    return period


def ms(minute: float) -> int:
    """So many minutes after the opening."""
    return round(the_period().opens.timestamp() * 1000 + minute * 60_000)


def told(readings: Sequence[Reading], cars: Sequence[Car] = ()) -> Day:
    """A day by hand: nobody comes but `cars`."""
    law = replace(CLEAN, load=constant(0.0))
    lived = Opening(BASE, [the_period()], law, random.Random(1))
    lived.cars.extend(cars)
    return Day([the_period()], law, sorted(readings, key=lambda reading: reading.at_ms), lived)


def passed(sensor: str, *minutes: float) -> list[Reading]:
    return [Reading(YARD, sensor, "passage", ms(minute), 1.0) for minute in minutes]


def saw(sensor: str, value: float, *minutes: float) -> list[Reading]:
    return [Reading(YARD, sensor, "presence", ms(minute), value) for minute in minutes]


def wait(mean_s: int | None = None, p50_s: int | None = None, more_than_s: int | None = None) -> Wait:
    opens = the_period().opens
    return Wait(yard=YARD, state=State.OPEN, as_of=opens, valid_until=opens, mean_s=mean_s, p50_s=p50_s, more_than_s=more_than_s)


# What one would pick instead


def test_les_is_what_the_last_car_let_in_has_waited() -> None:
    day = told([], [Car(ms(0), ms(10)), Car(ms(5), ms(12)), Car(ms(6))])

    assert list(references.les(day, [ms(9), ms(11), ms(13)])) == [0.0, 600.0, 420.0]


def test_naive_is_all_cars_on_site_over_the_bays() -> None:
    day = told(passed("lane-in", 1, 2, 3) + passed("gate-out", 4))

    # Eight minutes a car at four bays: two minutes for each.
    assert list(references.naive(BASE, day, [ms(0), ms(3.5), ms(5)])) == [0.0, 360.0, 240.0]


def test_naive_never_falls_below_nought_but_remembers() -> None:
    day = told(passed("gate-out", 1) + passed("lane-in", 2))

    assert list(references.naive(BASE, day, [ms(1.5), ms(3)])) == [0.0, 0.0]


def test_plain_lets_nobody_wait_while_a_bay_is_free() -> None:
    day = told(passed("lane-in", 1, 2, 3))

    assert list(references.plain(BASE, day, [ms(4)])) == [0.0]


def test_plain_takes_the_catalogues_rate_before_it_has_counted() -> None:
    day = told(passed("lane-in", 1, 1, 1, 1))

    assert list(references.plain(BASE, day, [ms(1.5)])) == [120.0]


def test_plain_follows_the_recent_throughput() -> None:
    day = told(passed("lane-in", *[1.0] * 14) + passed("gate-out", *range(2, 22, 4)))

    # Nine are left, five of them wait; five left in the 20 minutes, to which three at the catalogue's two minutes are added.
    assert list(references.plain(BASE, day, [ms(21)])) == [pytest.approx(6 * (20 * 60 + 3 * 120) / 8)]


def test_plain_counts_only_the_lane_where_the_gate_counts() -> None:
    day = told(passed("lane-in", 1, 1, 1) + passed("gate-in", 1))

    assert list(references.plain(COUNTED_AT_THE_GATE, day, [ms(1)])) == [3 * 120.0 * 3 / 4]


def test_a_free_head_sensor_sets_plain_to_nought() -> None:
    day = told(passed("lane-in", *[1.0] * 14) + saw("lane-3", 0.0, 2, 3))

    # The four bays may be full: whoever comes waits for one of them. A minute with a queue has passed, and nobody has left in it.
    assert list(references.plain(BASE, day, [ms(3)])) == [pytest.approx((3 * 120 + 120) / 3)]


def test_a_covered_lane_sensor_tells_plain_of_cars_that_were_not_counted() -> None:
    day = told(saw("lane-50", 1.0, 1, 2))

    # Eight cars reach beyond 50 m.
    assert list(references.plain(BASE, day, [ms(2)])) == [9 * 120.0]


# Days


def test_all_scenarios_of_a_yard_have_the_same_cars() -> None:
    assert scored(SCENARIOS["clean"], 3).lived.cars == scored(SCENARIOS["no-lane-sensor"], 3).lived.cars


def test_seeds_and_weeks_differ() -> None:
    days = [scored(SCENARIOS["clean"], 0), scored(SCENARIOS["clean"], 1), *learnt(SCENARIOS["clean"], 0)]

    assert len({tuple(car.came_ms - day.lived.opens_ms for car in day.lived.cars) for day in days}) == 10


def test_what_is_learnt_from_lies_before_what_is_scored() -> None:
    ends = [day.periods[-1].closes for day in learnt(SCENARIOS["clean"], 0)]

    assert ends == [the_period().closes - dt.timedelta(days=days) for days in range(56, 0, -7)]


def test_an_outage_that_is_flagged_shows_at_the_port_of_the_sensor() -> None:
    day = scored(SCENARIOS["exit-out-flagged"], 0)
    gone_ms = [r.at_ms for r in day.readings if r.quantity == "port_open" and not r.value]
    counted_ms = [r.at_ms for r in day.readings if r.sensor == "gate-out" and r.quantity == "passage"]

    assert {(r.site, r.sensor) for r in day.readings if r.quantity == "port_open" and not r.value} == {("gw-hof", "gate-out")}
    assert len(gone_ms) in (20, 21)
    assert not [at_ms for at_ms in counted_ms if gone_ms[0] <= at_ms < gone_ms[0] + 20 * 60_000]


def test_an_outage_that_nobody_notices_shows_nowhere() -> None:
    day = scored(SCENARIOS["exit-out"], 0)

    assert {r.value for r in day.readings if r.quantity == "port_open"} == {1.0}
    assert len(passages(day, "gate-out")) < len(passages(scored(SCENARIOS["2-percent"], 0), "gate-out")) - 4


def passages(day: Day, sensor: str) -> list[int]:
    return [r.at_ms for r in day.readings if r.sensor == sensor and r.quantity == "passage"]


def test_a_week_is_one_opening_of_seven_days() -> None:
    day = scored(SCENARIOS["week"], 0)

    assert len(day.periods) == 7
    assert len(day.lived.cars) > 4_000
    assert {name for name in CITY.yards[YARD].sensors if name.startswith("lane-")} > {
        r.sensor for r in day.readings if r.quantity == "presence"
    }


def test_a_cold_start_is_told_forty_percent_too_much_or_too_little() -> None:
    told_rates = [SCENARIOS["cold"].city(seed).yards[YARD].usual_entries_per_hour for seed in (0, 1)]

    assert told_rates == [42.0, 18.0]
    assert list(learnt(SCENARIOS["cold"], 0)) == []


# The table


def test_each_row_that_is_to_be_reached_has_a_scenario() -> None:
    assert set(table.TO_REACH) <= set(SCENARIOS)


def test_the_mean_is_scored_else_the_median_else_the_bound() -> None:
    assert [number_s(wait(mean_s=1, p50_s=2)), number_s(wait(p50_s=2)), number_s(wait(more_than_s=3)), number_s(wait())] == [
        1,
        2,
        3,
        None,
    ]


@pytest.mark.chaos
def test_nobody_is_nearer_the_truth_than_the_observer_who_knows_all() -> None:
    result = score(SCENARIOS["clean"], seed=0)

    assert 200 < result.cars < 300
    assert result.floor_s < min(result.ours_s, *(result.errors_s[name] for name in table.VOICES))
    assert 0 <= result.unsaid <= 1


def test_the_table_has_a_cell_for_each_title() -> None:
    lines = list(table.rows(["clean"], seeds=1))

    assert {line.count("|") for line in lines} == {lines[0].count("|")}
    assert "≤ 1.16 (1.64)" in lines[2]


def test_a_scenario_that_does_not_exist_is_told_with_those_that_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        table.main(["sunny"])

    assert ended.value.code == 2
    assert "no such scenario: sunny; there are mm4, mg4, clean" in capsys.readouterr().err
