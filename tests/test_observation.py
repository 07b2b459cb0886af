"""Two things of one instant: they stay two, as long as anybody could send them again."""

import pytest

from edge.observation import REMEMBERED, Distinct, Observation
from hoflicht.quantities import Kind

CAR = Observation("hof-nord", "gate-in", "passage", 0, 1.0)


def after(others: int, kind: Kind = Kind.EVENT) -> int:
    """Where a second car of instant 0 is put after so many other ones."""
    distinct = Distinct(kind)
    distinct.at_ms(CAR, 0)
    for n in range(others):
        distinct.at_ms(CAR, 10 + n)
    return distinct.at_ms(CAR, 0)


def test_a_second_car_of_the_same_instant_is_one_of_the_next() -> None:
    assert after(0) == 1


@pytest.mark.parametrize("kind", Kind)
def test_only_so_many_are_remembered_that_memory_stays_small(kind: Kind) -> None:
    assert (after(REMEMBERED[kind] - 1, kind), after(REMEMBERED[kind], kind)) == (1, 0)


def test_another_sensor_or_quantity_has_instants_of_its_own() -> None:
    distinct = Distinct(Kind.EVENT)
    others = [Observation("hof-nord", "gate-out", "passage", 0, 1.0), Observation("hof-nord", "gate-in", "speed", 0, 1.0)]

    assert [distinct.at_ms(seen, 0) for seen in (CAR, *others)] == [0, 0, 0]
