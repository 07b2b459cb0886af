"""How bright a lamp burns: the order of command, the safe answers, and what holds whatever clocks and sensors do."""

import datetime as dt
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.dimming import (
    BRIGHTER,
    DRIES_S,
    EARLY_MS,
    IS_DARK,
    STEADY_MS,
    SURELY_DARK_DEG,
    SURELY_LIGHT_DEG,
    Decision,
    Eye,
    Memory,
    Senses,
    Sun,
    Why,
    counts,
    decide,
    in_force,
)
from hoflicht.catalogue import City
from hoflicht.program import LIGHTING_CLASSES, Cap, Period, Program, Step, Traffic, complaints, floor_percent
from hoflicht.shadow import Command, Duty, Reason
from hoflicht.sky import Place, sun_deg
from tests.conftest import ROOT

DUISBURG = Place(51.43, 6.76, "Europe/Berlin")
DUTY = Duty(program="street", lighting_class="M3", traffic=("lamp-0001/traffic",), weather="lamp-0012/weather")
HOUR_MS = 3_600_000
NOBODY = Senses(passed_ago_s=math.inf, rained_ago_s=math.inf)  # and no light sensor
SOMEBODY = replace(NOBODY, passed_ago_s=0.0)
PART_NIGHT = Program(periods=(Period(steps=(Step("dusk", 100), Step("22:00", 60), Step("05:30", 100))),))
STREET = Program(
    periods=(Period(steps=(Step("dusk", lighting_class="M4"), Step("23:00", lighting_class="M5"))),),
    traffic=Traffic(lighting_class="M3", percent=0, hold_s=45),
    wet_class="M4",
)


def ms(text: str) -> int:
    """An instant, with its offset to UTC."""
    return round(dt.datetime.fromisoformat(text).timestamp() * 1000)


EVENING, NIGHT, NOON = ms("2026-11-26T20:00+01:00"), ms("2026-11-27T02:00+01:00"), ms("2026-11-27T12:00+01:00")


def decided(
    now_ms: int | None,
    program: Program | None = STREET,
    senses: Senses = NOBODY,
    override: float | None = None,
    duty: Duty = DUTY,
    memory: Memory | None = None,
    monotonic_ms: int = 0,
) -> Decision:
    return decide(now_ms, monotonic_ms, DUISBURG, duty, program, senses, override, memory)


def told(decision: Decision) -> tuple[float, Reason, Why]:
    return decision.target, decision.reason, decision.why


def when_sun(deg: float) -> int:
    """An instant of an afternoon in July at which the sun stands so high."""
    after = ms("2026-07-10T14:00+02:00")
    return next(at for at in range(after, after + 12 * HOUR_MS, 5_000) if sun_deg(DUISBURG, at // 1000) <= deg)


# The order of command


@pytest.mark.parametrize(
    ("now_ms", "senses", "override", "expected"),
    [
        (NOON, NOBODY, None, (0.0, Reason.PROGRAM, Why.DAY)),
        (EVENING, NOBODY, None, (75.0, Reason.PROGRAM, Why.STEP)),
        (NIGHT, NOBODY, None, (50.0, Reason.PROGRAM, Why.STEP)),
        (NIGHT, SOMEBODY, None, (100.0, Reason.SENSOR, Why.TRAFFIC)),
        (NIGHT, SOMEBODY, 20.0, (20.0, Reason.OVERRIDE, Why.OVERRIDE)),
        (NIGHT, SOMEBODY, 0.0, (0.0, Reason.OVERRIDE, Why.OVERRIDE)),
        (NOON, SOMEBODY, None, (0.0, Reason.PROGRAM, Why.DAY)),
        (NOON, NOBODY, 100.0, (100.0, Reason.OVERRIDE, Why.OVERRIDE)),
        (None, NOBODY, 30.0, (30.0, Reason.OVERRIDE, Why.OVERRIDE)),
        (NIGHT, replace(NOBODY, rained_ago_s=0.0), None, (75.0, Reason.SENSOR, Why.WET)),
        (EVENING, replace(NOBODY, rained_ago_s=0.0), None, (75.0, Reason.PROGRAM, Why.STEP)),  # which asks for as much
        (NIGHT, replace(SOMEBODY, rained_ago_s=0.0), None, (100.0, Reason.SENSOR, Why.TRAFFIC)),
    ],
)
def test_override_before_traffic_before_program(
    now_ms: int | None, senses: Senses, override: float | None, expected: tuple[float, Reason, Why]
) -> None:
    assert told(decided(now_ms, senses=senses, override=override)) == expected


@pytest.mark.parametrize(
    ("now_ms", "program", "senses", "expected"),
    [
        (NIGHT, None, NOBODY, (100.0, Reason.FAILSAFE, Why.NO_PROGRAM)),
        (NOON, None, NOBODY, (0.0, Reason.FAILSAFE, Why.DAY)),
        (None, STREET, NOBODY, (100.0, Reason.FAILSAFE, Why.NO_CLOCK)),
        (None, STREET, replace(NOBODY, lux=2.0), (100.0, Reason.FAILSAFE, Why.NO_CLOCK)),
        (None, STREET, replace(NOBODY, lux=900.0), (0.0, Reason.FAILSAFE, Why.DAY)),
        (0, STREET, NOBODY, (100.0, Reason.FAILSAFE, Why.NO_CLOCK)),  # 1970: an empty battery
        (2**53, STREET, NOBODY, (100.0, Reason.FAILSAFE, Why.NO_CLOCK)),
        (NIGHT, STREET, replace(NOBODY, passed_ago_s=None), (100.0, Reason.FAILSAFE, Why.NO_TRAFFIC_SENSOR)),
        (NIGHT, STREET, replace(NOBODY, rained_ago_s=None), (75.0, Reason.FAILSAFE, Why.NO_RAIN_SENSOR)),
        (NIGHT, PART_NIGHT, Senses(), (60.0, Reason.PROGRAM, Why.STEP)),  # it asks for neither
        (NIGHT, Program(), NOBODY, (100.0, Reason.PROGRAM, Why.NO_PERIOD)),
    ],
)
def test_what_nobody_tells_is_answered_with_more_light(
    now_ms: int | None, program: Program | None, senses: Senses, expected: tuple[float, Reason, Why]
) -> None:
    assert told(decided(now_ms, program, senses)) == expected


def test_traffic_holds_its_class_for_so_long_and_rain_until_the_road_is_dry() -> None:
    held = [decided(NIGHT, senses=replace(NOBODY, passed_ago_s=ago)).target for ago in (0, 44.9, 45.0, 3_600.0)]
    wet = [decided(NIGHT, senses=replace(NOBODY, rained_ago_s=ago)).target for ago in (0, DRIES_S - 1, DRIES_S)]

    assert held == [100.0, 100.0, 50.0, 50.0]
    assert wet == [75.0, 75.0, 50.0]


# Dark or not


DEGREES = {Sun.NIGHT: -6.1, Sun.DUSK: -2.1, Sun.LOW: -1.9, Sun.DAY: 10.1}
LUX = {Eye.DARK: 14.0, Eye.LIGHT: 31.0, Eye.DEAD: None}


@pytest.mark.parametrize(("sun", "eye"), [(sun, eye) for sun in Sun for eye in Eye])
def test_dark_or_not_is_as_the_table_says(sun: Sun, eye: Eye) -> None:
    now_ms = None if sun is Sun.UNKNOWN else when_sun(DEGREES[sun])
    is_dark = decided(now_ms, senses=replace(NOBODY, lux=LUX[eye])).why is not Why.DAY

    assert is_dark is IS_DARK[sun, eye]


def test_the_table_is_the_one_of_the_document() -> None:
    words = {"dark": Eye.DARK, "light": Eye.LIGHT, "dead or none": Eye.DEAD}
    suns = {"below -6°": Sun.NIGHT, "up to `sun_deg`": Sun.DUSK, "up to +10°": Sun.LOW, "above +10°": Sun.DAY}
    suns |= {"unknown: the clock is not set": Sun.UNKNOWN}
    rows = re.findall(r"^\| (.+?) \| (dark|light|dead or none) \| (on|off)\b.*\|$", DOCUMENT, re.MULTILINE)

    assert {(suns[sun], words[eye]): said == "on" for sun, eye, said in rows} == IS_DARK
    assert (SURELY_DARK_DEG, SURELY_LIGHT_DEG) == (-6.0, 10.0)


def test_between_on_and_off_the_light_must_double_so_that_a_lamp_does_not_see_itself() -> None:
    low = when_sun(-1)
    dark = decided(low, senses=replace(NOBODY, lux=14.9))

    def later(memory: Memory, lux: float) -> Decision:
        seen = decided(low, senses=replace(NOBODY, lux=lux), memory=memory, monotonic_ms=memory.at_ms + 1)
        return decided(low, senses=replace(NOBODY, lux=lux), memory=seen.memory, monotonic_ms=seen.memory.at_ms + STEADY_MS)

    assert BRIGHTER == 2
    assert later(dark.memory, 29.9).memory.eye is Eye.DARK
    light = later(dark.memory, 30.1)
    assert light.memory.eye is Eye.LIGHT
    assert later(light.memory, 15.0).memory.eye is Eye.LIGHT
    assert later(light.memory, 14.9).memory.eye is Eye.DARK


def test_a_light_that_passes_within_a_minute_switches_nothing() -> None:
    low = when_sun(-1)
    memory = decided(low, senses=replace(NOBODY, lux=5.0)).memory
    eyes = []
    for second in range(1, 200):
        lux = 5.0 if second % 60 == 0 else 5_000.0  # lit for 59 of 60 seconds
        memory = decided(low, senses=replace(NOBODY, lux=lux), memory=memory, monotonic_ms=1_000 * second).memory
        eyes.append(memory.eye)

    assert set(eyes) == {Eye.DARK}


@pytest.mark.parametrize("lux", [math.nan, math.inf, -1.0, 1e9])
def test_a_light_sensor_that_tells_the_impossible_is_dead(lux: float) -> None:
    assert decided(NIGHT, senses=replace(NOBODY, lux=lux)).memory.eye is Eye.DEAD


def test_a_light_sensor_that_comes_back_is_believed_at_once() -> None:
    memory = decided(when_sun(-1)).memory

    assert decided(when_sun(-1), senses=replace(NOBODY, lux=900.0), memory=memory, monotonic_ms=1).memory.eye is Eye.LIGHT


# Programs


@pytest.mark.parametrize(
    ("at", "target"),
    [
        ("2026-11-26T16:30+01:00", 0.0),
        ("2026-11-26T17:00+01:00", 100.0),
        ("2026-11-26T21:59:59+01:00", 100.0),
        ("2026-11-26T22:00+01:00", 60.0),
        ("2026-11-27T05:29:59+01:00", 60.0),
        ("2026-11-27T05:30+01:00", 100.0),
        ("2026-11-27T08:30+01:00", 0.0),
        ("2026-06-21T22:01+02:00", 0.0),  # the sun is still up
        ("2026-06-21T22:30+02:00", 60.0),  # it has set after the step at 22:00 has begun: dusk stands before it in the list
        ("2026-06-22T05:10+02:00", 0.0),
        ("2026-03-29T05:29+02:00", 60.0),  # the night of 23 hours
        ("2026-03-29T05:31+02:00", 100.0),
        ("2026-10-25T02:30+02:00", 60.0),  # and of 25
        ("2026-10-25T02:30+01:00", 60.0),
        ("2026-10-25T05:29+01:00", 60.0),
        ("2026-10-25T05:31+01:00", 100.0),
    ],
)
def test_a_part_night_program_through_the_year(at: str, target: float) -> None:
    assert decided(ms(at), PART_NIGHT).target == target


def test_before_the_first_step_the_light_is_full() -> None:
    program = Program(periods=(Period(steps=(Step("20:00", 40),)),))

    assert told(decided(ms("2026-11-26T19:59+01:00"), program)) == (100.0, Reason.PROGRAM, Why.BEFORE)
    assert told(decided(ms("2026-11-26T20:00+01:00"), program)) == (40.0, Reason.PROGRAM, Why.STEP)


@pytest.mark.parametrize(
    ("lighting_class", "planned", "cap", "target"),
    [("", "M3", 30, 30), ("M5", "M3", 30, 50), ("M4", "M3", 80, 80), ("M5", "", 30, 100), ("", "M3", 0, 0)],
)
def test_a_cap_takes_light_but_not_from_a_class(lighting_class: str, planned: str, cap: float, target: float) -> None:
    steps = (Step("dusk", 100, lighting_class),)
    program = Program(periods=(Period(steps=steps),), caps=(Cap(cap), Cap(90)))

    assert decided(NIGHT, program, duty=replace(DUTY, lighting_class=planned)).target == pytest.approx(target)


@pytest.mark.parametrize(("at", "target"), [("2026-07-01T02:00+02:00", 100.0), ("2026-07-02T01:00+02:00", 40.0)])
def test_a_cap_of_a_season_counts_by_the_evening_on_which_the_night_began(at: str, target: float) -> None:
    program = Program(periods=(Period(steps=(Step("dusk", 100),)),), caps=(Cap(40, first_day="07-01", last_day="07-31"),))

    assert decided(ms(at), program).target == target


@pytest.mark.parametrize(
    ("at", "target"),
    [
        ("2026-12-24T00:00+01:00", 40.0),  # full moon, high in the south
        ("2026-12-23T16:05+01:00", 0.0),  # it has risen, and so has the sun
        ("2026-12-09T00:00+01:00", 100.0),  # new moon
        ("2026-12-25T17:15+01:00", 100.0),  # nearly full, and not yet risen
        ("2026-12-31T05:00+01:00", 100.0),  # risen, and less than the share
    ],
)
def test_a_moon_that_has_risen_and_is_lit_enough_caps(at: str, target: float) -> None:
    program = Program(periods=(Period(steps=(Step("dusk", 100),)),), caps=(Cap(40, moon_share=0.9),))

    assert decided(ms(at), program).target == target


# Ramps


def test_light_rises_in_two_seconds_and_falls_in_twenty() -> None:
    memory = decided(NIGHT, PART_NIGHT, override=0.0).memory
    up = decided(NIGHT, PART_NIGHT, override=100.0, memory=memory, monotonic_ms=250)
    full = replace(memory, percent=100.0)
    down = decided(NIGHT, PART_NIGHT, override=0.0, memory=full, monotonic_ms=250)

    assert (up.target, up.percent) == (100.0, 12.5)
    assert (down.target, down.percent) == (0.0, 98.75)
    assert decided(NIGHT, PART_NIGHT, override=100.0, memory=memory, monotonic_ms=2_000).percent == 100.0
    assert decided(NIGHT, PART_NIGHT, override=0.0, memory=full, monotonic_ms=20_000).percent == 0.0


def test_a_ramp_of_no_time_is_a_step_and_the_first_decision_is_sent_at_once() -> None:
    program = replace(PART_NIGHT, ramp_up_s=0, ramp_down_s=0)
    dark = decided(NIGHT, program, override=0.0).memory

    assert decided(NIGHT, program, memory=dark).percent == 60.0
    assert decided(NIGHT).percent == 50.0


# Commands


NOW = NIGHT
FESTIVAL = Command("festival", ("lamp-1", "lamp-2"), 80.0, at_ms=NOW, until_ms=NOW + HOUR_MS)


@pytest.mark.parametrize(
    ("now_ms", "monotonic_ms", "begun_ms", "is_in_force"),
    [
        (NOW, 5, None, True),
        (NOW + HOUR_MS - 1, 5, None, True),
        (NOW + HOUR_MS, 5, None, False),
        (NOW - EARLY_MS, 5, None, True),
        (NOW - EARLY_MS - 1, 5, None, False),  # the clock is behind the command
        (None, 5, None, False),
        (NOW + 60_000, 5 + HOUR_MS - 1, 5, True),  # set back meanwhile
        (NOW + 60_000, 5 + HOUR_MS, 5, False),
    ],
)
def test_a_command_ends_by_the_clock_that_is_first(
    now_ms: int | None, monotonic_ms: int, begun_ms: int | None, is_in_force: bool
) -> None:
    assert counts(FESTIVAL, now_ms, monotonic_ms, begun_ms) is is_in_force


def test_of_several_commands_the_latest_counts_at_each_lamp_and_a_release_is_one() -> None:
    brighter = replace(FESTIVAL, id="brighter", lamps=("lamp-2",), percent=100.0, at_ms=NOW + 1)
    release = replace(FESTIVAL, id="release", lamps=("lamp-1",), percent=None, at_ms=NOW + 2)
    over = replace(FESTIVAL, id="over", at_ms=NOW + 3, until_ms=NOW + 4)

    assert in_force((over, release, FESTIVAL, brighter), NOW + 10, 5, {}) == {"lamp-1": release, "lamp-2": brighter}
    assert in_force((FESTIVAL, brighter), NOW + 10, 5 + HOUR_MS, {"festival": 5}) == {"lamp-2": brighter}


# The document

DOCUMENT = (ROOT / "docs/light.md").read_text(encoding="utf-8")
DOCUMENTED = msgspec.convert(
    tomllib.loads("\n".join(re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)))["programs"], dict[str, Program]
)
EXAMPLES = re.findall(r"^\| (\w+) \| (\d{4}-\S+) \| (yes|no) \| (dry|wet) \| (\d+) % \|$", DOCUMENT, re.MULTILINE)
PLANNED = {"hauptstrasse": "M3", "wohnstrasse": "P4", "park": "P4"}


@pytest.mark.parametrize("name", PLANNED)
def test_the_programs_of_the_document_can_be_written_so(name: str) -> None:
    assert list(complaints(DOCUMENTED[name])) == []


@pytest.mark.parametrize(("name", "at", "somebody", "road", "percent"), EXAMPLES)
def test_they_do_what_the_document_says(name: str, at: str, somebody: str, road: str, percent: str) -> None:
    senses = Senses(passed_ago_s=3.0 if somebody == "yes" else math.inf, rained_ago_s=600.0 if road == "wet" else math.inf)
    decision = decided(ms(at), DOCUMENTED[name], senses, duty=replace(DUTY, lighting_class=PLANNED[name]))

    assert decision.target == pytest.approx(float(percent))


def test_every_program_of_the_document_has_examples() -> None:
    assert {example[0] for example in EXAMPLES} == set(DOCUMENTED) == set(PLANNED)


def test_the_demo_city_has_them_as_they_stand_there(city: City) -> None:
    shared = set(DOCUMENTED) & set(city.programs)

    assert "hauptstrasse" in shared
    assert [name for name in shared if DOCUMENTED[name] != city.programs[name]] == []


# What holds whatever clocks and sensors do

ANY = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 100), st.just(0.0))
SENSES = st.builds(Senses, lux=ANY, rained_ago_s=ANY, passed_ago_s=ANY)
CLASSES = st.sampled_from(sorted(LIGHTING_CLASSES))
ANY_CLASS = st.one_of(st.just(""), CLASSES)
PERCENT = st.floats(0, 100)
INSTANTS = st.one_of(
    st.none(), st.integers(-(2**62), 2**62), st.integers(ms("2026-01-01T00:00+01:00"), ms("2030-01-01T00:00+01:00"))
)
MIDNIGHTS = st.integers(0, 1_000).map(lambda day: ms("2026-01-01T23:30+01:00") + 24 * HOUR_MS * day)  # dark in summer too
MONOTONIC = st.integers(0, 10**12)
ATS = st.sampled_from(["dusk", "dusk+00:30", "dusk-01:00", "22:00", "00:00", "02:30", "05:00", "dawn-02:00", "dawn"])


def steps(classes: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[Step, ...]]:
    return st.lists(st.builds(Step, at=ATS, percent=PERCENT, lighting_class=classes), max_size=4).map(tuple)


def programs(classes: st.SearchStrategy[str]) -> st.SearchStrategy[Program]:
    return st.builds(
        Program,
        periods=st.lists(st.builds(Period, steps=steps(classes), weekdays=st.sampled_from([(), ("mon", "fri")])), max_size=2).map(
            tuple
        ),
        sun_deg=st.floats(-6, 3),
        dark_lx=st.floats(1, 200),
        traffic=st.one_of(st.none(), st.builds(Traffic, percent=PERCENT, lighting_class=ANY_CLASS, hold_s=st.floats(0, 3_600))),
        caps=st.lists(st.builds(Cap, percent=PERCENT, moon_share=st.one_of(st.none(), st.floats(0, 1))), max_size=2).map(tuple),
        wet_class=ANY_CLASS,
        ramp_up_s=st.floats(0, 3_600),
        ramp_down_s=st.floats(0, 3_600),
    )


PROGRAMS = st.one_of(st.none(), programs(ANY_CLASS))
MEMORIES = st.one_of(
    st.none(),
    st.builds(Memory, at_ms=MONOTONIC, percent=PERCENT, eye=st.sampled_from(Eye), turned_ms=st.one_of(st.none(), MONOTONIC)),
)


@given(INSTANTS, MONOTONIC, ANY_CLASS, PROGRAMS, SENSES, st.one_of(st.none(), st.floats()), MEMORIES)
def test_a_level_is_a_number_from_0_to_100_and_the_same_whenever_it_is_asked(
    now_ms: int | None,
    monotonic_ms: int,
    planned: str,
    program: Program | None,
    senses: Senses,
    override: float | None,
    memory: Memory | None,
) -> None:
    def once() -> Decision:
        return decided(now_ms, program, senses, override, replace(DUTY, lighting_class=planned), memory, monotonic_ms)

    decision = once()
    assert 0 <= decision.target <= 100
    assert 0 <= decision.percent <= 100
    assert decision.memory.percent == decision.percent
    assert once() == decision


@given(INSTANTS, MONOTONIC, CLASSES, CLASSES, st.data(), SENSES, MEMORIES)
def test_while_it_is_dark_a_lamp_is_never_below_the_class_that_is_demanded(
    now_ms: int | None, monotonic_ms: int, planned: str, demanded: str, data: st.DataObject, senses: Senses, memory: Memory | None
) -> None:
    drawn = data.draw(programs(st.just(demanded)))
    always = Step("12:00", lighting_class=demanded)  # from noon to noon
    periods = (replace(period, steps=(always, *period.steps)) for period in (*drawn.periods, Period(steps=())))
    program = replace(drawn, periods=tuple(periods))

    decision = decided(now_ms, program, senses, None, replace(DUTY, lighting_class=planned), memory, monotonic_ms)

    assert decision.why is Why.DAY or decision.target >= floor_percent(demanded, planned) > 0
    assert decision.why is not Why.DAY or not is_surely_dark(now_ms)


def is_surely_dark(now_ms: int | None) -> bool:
    if now_ms is None or not ms("2020-01-01T00:00+00:00") <= now_ms < ms("2100-01-01T00:00+00:00"):
        return False
    return sun_deg(DUISBURG, now_ms // 1000) < SURELY_DARK_DEG


@pytest.mark.parametrize("whose", ["traffic", "rain"])
@given(
    now_ms=st.one_of(INSTANTS, MIDNIGHTS),
    planned=CLASSES,
    demanded=CLASSES,
    drawn=programs(ANY_CLASS),
    ago_s=st.sampled_from([None, math.nan, -1.0, 0.0]),
    memory=MEMORIES,
)
def test_nor_below_that_of_traffic_or_rain_where_it_is_there_or_nobody_tells(
    whose: str, now_ms: int | None, planned: str, demanded: str, drawn: Program, ago_s: float | None, memory: Memory | None
) -> None:
    off = replace(drawn, periods=(Period(steps=(Step("12:00", percent=0),)),), traffic=None, wet_class="")
    by = {"traffic": Traffic(percent=0, lighting_class=demanded)} if whose == "traffic" else {"wet_class": demanded}

    decision = decided(now_ms, replace(off, **by), Senses(None, ago_s, ago_s), None, replace(DUTY, lighting_class=planned), memory)

    assert decision.why is Why.DAY or decision.target >= floor_percent(demanded, planned)


@given(
    st.lists(st.tuples(MONOTONIC, INSTANTS, SENSES, st.one_of(st.none(), PERCENT)), min_size=2, max_size=12), programs(ANY_CLASS)
)
def test_a_ramp_is_never_steeper_than_the_program_says(
    asked: Sequence[tuple[int, int | None, Senses, float | None]], program: Program
) -> None:
    memories = list(remembered(asked, program))

    for before, after in pairwise(memories):
        passed_s = max(0, after.at_ms - before.at_ms) / 1000
        change = after.percent - before.percent
        ramp_s = program.ramp_up_s if change > 0 else program.ramp_down_s
        assert abs(change) * ramp_s <= 100 * passed_s + 1e-6 or ramp_s == 0


def remembered(asked: Sequence[tuple[int, int | None, Senses, float | None]], program: Program) -> Iterator[Memory]:
    memory: Memory | None = None
    for monotonic_ms, now_ms, senses, override in asked:
        memory = decided(now_ms, program, senses, override, memory=memory, monotonic_ms=monotonic_ms).memory
        yield memory


JUMPS = st.lists(
    st.tuples(
        st.integers(0, 2 * HOUR_MS),  # that pass
        st.one_of(st.just(0), st.integers(-3 * HOUR_MS, 3 * HOUR_MS)),  # by which the clock is set meanwhile
        st.booleans(),  # whether it says that it is set
    ),
    min_size=1,
    max_size=20,
)


@given(JUMPS, st.integers(-3 * HOUR_MS, 3 * HOUR_MS))
def test_an_override_never_outlives_its_end_whatever_the_two_clocks_do(jumps: list[tuple[int, int, bool]], off_ms: int) -> None:
    now_ms, monotonic_ms = NOW + off_ms, 1_000
    begun_ms: dict[str, int] = {}
    for passed_ms, set_ms, is_set in jumps:
        now_ms, monotonic_ms = now_ms + passed_ms + set_ms, monotonic_ms + passed_ms
        found = in_force((FESTIVAL,), now_ms if is_set else None, monotonic_ms, begun_ms)
        if found:
            begun_ms.setdefault("festival", monotonic_ms)
            assert is_set
            assert NOW - EARLY_MS <= now_ms < FESTIVAL.until_ms
            assert monotonic_ms - begun_ms["festival"] < HOUR_MS
