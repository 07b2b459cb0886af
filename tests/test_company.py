"""Who waits for company on the way to the disk, and who does not."""

import pytest

from edge.company import MAX_HELD, MAX_STATES, SIGN_MS, SOON_MS, Company
from edge.observation import Observation

PATIENCE_MS = 60_000
LAMP = "lamp-0005"


def seen(quantity: str, value: float = 1.0, sensor: str = "s", site: str = "hof-nord") -> Observation:
    return Observation(site, sensor, quantity, 0, value)


def left_ms(*seen_one_after_the_other: Observation) -> int | None:
    """How long the last of them may wait."""
    company = Company(PATIENCE_MS)
    for one in seen_one_after_the_other:
        company.leave()
        company.join(one, 1_000)
    return company.left_ms(1_000)


@pytest.mark.parametrize("quantity", ["passage", "presence", "occupied", "held", "lamp_failure"])
def test_a_car_and_a_state_that_is_new_go_soon(quantity: str) -> None:
    assert left_ms(seen(quantity)) == SOON_MS


def test_a_state_that_has_changed_goes_soon_and_one_that_is_said_again_does_not() -> None:
    free, taken = seen("occupied", 0.0), seen("occupied", 1.0)

    assert left_ms(free, taken) == SOON_MS
    assert left_ms(taken, seen("occupied", 0.0, sensor="bay-2"), taken) == PATIENCE_MS


@pytest.mark.parametrize("quantity", ["temperature", "pm10", "active_power", "energy_import", "spool_rows", "speed"])
def test_what_nobody_waits_for_waits_for_company(quantity: str) -> None:
    assert left_ms(seen(quantity)) == PATIENCE_MS


def test_a_sign_of_life_waits_a_sixth_of_the_minute_that_it_lasts() -> None:
    assert left_ms(seen("port_open"), seen("port_open")) == SIGN_MS


def light(reason: float) -> Observation:
    return seen("light_reason", reason, "driver", LAMP)


@pytest.mark.parametrize(
    ("before", "after", "wait_ms"), [(1, 2, PATIENCE_MS), (2, 1, PATIENCE_MS), (1, 3, SOON_MS), (3, 1, SOON_MS)]
)
def test_light_goes_soon_where_a_person_has_asked_for_it(before: float, after: float, wait_ms: int) -> None:
    assert left_ms(light(before), light(after)) == wait_ms


def test_the_level_of_a_lamp_goes_soon_under_an_override_only() -> None:
    level = seen("level_actual", 50.0, "driver", LAMP)

    assert left_ms(light(1), level) == PATIENCE_MS
    assert left_ms(light(3), level) == SOON_MS


def test_what_goes_soon_takes_along_all_that_waits() -> None:
    company = Company(PATIENCE_MS)
    company.join(seen("pm10"), 0)
    company.join(seen("passage"), 30_000)
    company.join(seen("temperature"), 30_100)

    assert company.left_ms(30_100) == SOON_MS - 100
    assert company.left_ms(30_000 + SOON_MS) == 0
    assert [one.quantity for one in company.leave()] == ["pm10", "passage", "temperature"]
    assert company.left_ms(40_000) is None


def test_nothing_waits_longer_than_its_patience() -> None:
    company = Company(PATIENCE_MS)
    for at_ms in range(0, PATIENCE_MS, 1_000):
        company.join(seen("pm10"), at_ms)

    assert company.left_ms(PATIENCE_MS) == 0


def test_a_full_batch_waits_for_nobody() -> None:
    company = Company(PATIENCE_MS)
    for _ in range(MAX_HELD):
        company.join(seen("pm10"), 0)

    assert company.left_ms(0) == 0


def test_without_patience_all_goes_soon() -> None:
    company = Company(0)
    company.join(seen("pm10"), 0)

    assert company.left_ms(0) == SOON_MS


def test_states_of_made_up_names_are_not_remembered_without_end_and_still_go_soon() -> None:
    company = Company(PATIENCE_MS)
    for n in range(MAX_STATES + 10):
        company.join(seen("presence", sensor=f"s{n}"), 0)
        company.leave()

    company.join(seen("presence", sensor=f"s{MAX_STATES + 5}"), 0)

    assert company.left_ms(0) == SOON_MS
    assert len(company._states) == MAX_STATES
