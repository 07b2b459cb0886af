"""What staff have said of lamps: on top of the catalogue, on disk, and which override counts."""

from pathlib import Path

import msgspec
import pytest

from api.light.desired import complaint, compose, lamps_by_gateway
from api.light.lights import KEPT_MS, MAX_OVERRIDES, NOTHING, Lights, Members, Override, Said, added, counting, on_top
from hoflicht.catalogue import City, Gateway, Lamp, duty, load_city
from hoflicht.errors import BadConfig, BadPayload
from hoflicht.program import Period, Program, Step
from hoflicht.shadow import MAX_COMMANDS
from tests.fleet import large_city

HOUR_MS = 3_600_000
DIM = Program(wet_class="M5")


def override(
    named: str, lamp: str = "", group: str = "", at_ms: int = 0, until_ms: int = HOUR_MS, percent: float | None = 80
) -> Override:
    return Override(id=named, percent=percent, at_ms=at_ms, until_ms=until_ms, lamp=lamp, group=group)


def counts(city: City, *overrides: Override, now_ms: int = 1_000) -> dict[str, list[str]]:
    """The lamps at which each override counts, by id."""
    found = {each.id: lamps for each, lamps in counting(Said(overrides=overrides), Members(city), now_ms)}
    return {each.id: sorted(found.get(each.id, [])) for each in overrides}


def test_what_was_said_is_there_after_a_restart(tmp_path: Path) -> None:
    lights = Lights(tmp_path / "lights.json")
    lights.change(lambda said: msgspec.structs.replace(said, programs={"dim": DIM}, lamps={"lamp-0001": "dim"}))

    again = Lights(tmp_path / "lights.json").said()

    assert again == lights.said() == Said(programs={"dim": DIM}, lamps={"lamp-0001": "dim"})
    assert (tmp_path / "lights.json").stat().st_mode & 0o777 == 0o600


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    lights = Lights(tmp_path / "lights.json")
    lights.change(lambda said: msgspec.structs.replace(said, lamps={"lamp-0001": "dim"}))

    def fail(_said: Said) -> Said:
        raise BadPayload("no")

    with pytest.raises(BadPayload):
        lights.change(fail)

    assert Lights(tmp_path / "lights.json").said() == lights.said() == Said(lamps={"lamp-0001": "dim"})


def test_two_processes_that_change_it_lose_nothing_of_each_other(tmp_path: Path) -> None:
    one, other = Lights(tmp_path / "lights.json"), Lights(tmp_path / "lights.json")
    one.change(lambda said: msgspec.structs.replace(said, lamps={**said.lamps, "lamp-0001": "dim"}))
    other.change(lambda said: msgspec.structs.replace(said, lamps={**said.lamps, "lamp-0002": "dim"}))

    assert Lights(tmp_path / "lights.json").said().lamps == {"lamp-0001": "dim", "lamp-0002": "dim"}


@pytest.mark.parametrize("text", ["{", '{"lamp":{}}', '{"programs":{"dim":{"wet_class":"Q1"}}}'])
def test_a_file_that_is_none_of_ours_ends_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "lights.json").write_text(text)

    with pytest.raises(BadConfig, match=r"lights\.json"):
        Lights(tmp_path / "lights.json")


def test_staff_s_word_lies_on_top_of_the_catalogue(city: City) -> None:
    said = Said(programs={"dim": DIM}, lamps={"lamp-0001": "dim"}, groups={"altstadt": "dim"})

    by_lamp = on_top(city, msgspec.structs.replace(said, groups={}))
    by_group = on_top(city, said)

    assert [duty(by_lamp, lamp).program for lamp in ("lamp-0001", "lamp-0002")] == ["dim", "hauptstrasse"]
    assert [duty(by_group, lamp).program for lamp in ("lamp-0001", "lamp-0002")] == ["dim", "dim"]
    assert on_top(city, NOTHING) == city


def test_words_about_what_the_catalogue_has_lost_mean_nothing(city: City) -> None:
    said = Said(lamps={"lamp-9999": "hauptstrasse", "lamp-0001": "gone"}, groups={"vorstadt": "hauptstrasse"})

    assert on_top(city, said) == city


def test_at_a_lamp_the_latest_override_counts(city: City) -> None:
    group, lamp = override("festival", group="altstadt", until_ms=9 * HOUR_MS), override("short", "lamp-0001", at_ms=10)

    # The festival counts again at lamp-0001 once the short one is over, so its gateway must know of both.
    assert counts(city, group, lamp) == {"festival": sorted(city.lamps), "short": ["lamp-0001"]}
    assert counts(city, group, lamp, now_ms=2 * HOUR_MS) == {"festival": sorted(city.lamps), "short": []}


def test_an_override_that_ends_no_later_than_a_later_one_is_given_up(city: City) -> None:
    first, second = override("first", group="altstadt"), override("second", "lamp-0001", at_ms=10, until_ms=2 * HOUR_MS)

    assert counts(city, first, second)["first"] == sorted(city.lamps.keys() - {"lamp-0001"})
    assert counts(city, first, override("release", group="altstadt", at_ms=10, percent=None))["first"] == []


def test_overrides_that_are_over_are_kept_for_a_day(city: City) -> None:
    said = added(NOTHING, override("a", "lamp-0001"), 0)

    day = added(said, override("b", "lamp-0001", at_ms=HOUR_MS + KEPT_MS - 1), HOUR_MS + KEPT_MS - 1)
    later = added(said, override("b", "lamp-0001", at_ms=HOUR_MS + KEPT_MS), HOUR_MS + KEPT_MS)

    assert [each.id for each in day.overrides] == ["a", "b"]
    assert [each.id for each in later.overrides] == ["b"]


def test_too_many_overrides_in_force_are_refused_and_none_is_dropped_for_another() -> None:
    said = Said(overrides=tuple(override(f"n-{n}", "lamp-0001", at_ms=n) for n in range(MAX_OVERRIDES)))

    with pytest.raises(BadPayload, match="2000 overrides are in force already"):
        added(said, override("more", "lamp-0001"), 1_000)


def test_each_gateway_gets_its_own_lamps_and_the_programs_they_burn_by(city: City) -> None:
    two = msgspec.structs.replace(
        city,
        lamps=city.lamps | {"park-1": Lamp(street="Park", lat=51.4, lon=6.7, program="park")},
        programs=city.programs | {"park": Program(), "unused": Program()},
        gateways=city.gateways | {"gw-park": Gateway(sites=("park-*",))},
    )
    said = Said(overrides=(override("a", group="altstadt"), override("b", "park-1", at_ms=5)))

    composed = compose(two, said, Members(two), lamps_by_gateway(two), 1_000)

    assert set(composed) == {"gw-strasse", "gw-park"}
    assert (set(composed["gw-park"].programs), set(composed["gw-park"].lamps)) == ({"park"}, {"park-1"})
    assert set(composed["gw-strasse"].programs) == {"hauptstrasse"}
    assert composed["gw-strasse"].lamps["lamp-0002"].traffic == ("lamp-0001/traffic", "lamp-0012/traffic")
    assert [command.id for command in composed["gw-strasse"].commands] == ["a"]
    assert [(command.id, command.lamps) for command in composed["gw-park"].commands] == [("b", ("park-1",))]
    assert complaint(composed) == ""


def test_what_no_gateway_could_follow_is_named() -> None:
    large = large_city(1, 1_025)
    many = Said(overrides=tuple(override(f"n-{n}", f"lamp-00-{n:03}") for n in range(MAX_COMMANDS + 1)))
    long = Program(periods=(Period(steps=(Step(at="dusk+00:30", lighting_class="M4"),) * 20),) * 50)
    each_its_own = {f"lamp-00-{n:03}": f"p-{n}" for n in range(201)}
    longest = Said(programs={f"p-{n}": long for n in range(20)}, lamps={f"lamp-00-{n:03}": f"p-{n}" for n in range(20)})
    for city, said, expected in (
        (large, NOTHING, "the gateway gw-00 speaks for 1025 lamps; at most 1024 are led by one"),
        (large_city(1, 300), many, "the gateway gw-00 has 200 overrides already"),
        (large_city(1, 20), longest, "what the gateway gw-00 shall do is longer than 523264 bytes"),
        (
            large_city(1, 300),
            Said(lamps=each_its_own, programs=dict.fromkeys(each_its_own.values(), DIM)),
            "the gateway gw-00 could not",
        ),
    ):
        assert complaint(compose(city, said, Members(city), lamps_by_gateway(city), 1_000)).startswith(expected)


@pytest.mark.parametrize(("sensor", "taken"), [("staff", "what staff say"), ("watch", "what the api misses")])
def test_no_device_of_a_lamp_or_cabinet_takes_the_api_s_names(tmp_path: Path, sensor: str, taken: str) -> None:
    place = f'{{ street = "Weg", lat = 51.4, lon = 6.7, sensors = ["{sensor}"] }}'
    for site in ("lamps.a-1", "cabinets.a-1"):
        (tmp_path / "city.toml").write_text(f'name = "Testhausen"\n[{site.partition(".")[0]}]\na-1 = {place}\n')

        with pytest.raises(BadConfig, match=f"line 3: \\[{site}\\] sensors: '{sensor}' is taken by {taken}"):
            load_city(tmp_path / "city.toml")
