"""What a gateway's lamps shall do: payloads there and back, and what is refused by name."""

import msgspec
import pytest

from hoflicht import shadow
from hoflicht.errors import BadPayload
from hoflicht.program import Period, Program, Step
from hoflicht.shadow import Command, Desired, Duty, Outcome, Reported

NIGHT = Program(periods=(Period(steps=(Step(at="dusk", percent=100), Step(at="23:00", lighting_class="M5"))),))
DESIRED = Desired(
    version=7,
    programs={"street": NIGHT},
    lamps={"lamp-0001": Duty(program="street", lighting_class="M4", traffic=("lamp-0001/traffic",))},
    commands=(Command(id="c-1", lamps=("lamp-0001",), percent=100, at_ms=1_000, until_ms=61_000),),
)


def test_what_is_desired_comes_back_as_it_was_sent() -> None:
    assert shadow.desired(shadow.encode(DESIRED)) == DESIRED


def test_what_is_reported_comes_back_as_it_was_sent() -> None:
    said = Reported(version=7, refused_version=8, refused="why", outcomes={"c-1": {Outcome.APPLIED: ("lamp-0001",)}})

    assert shadow.reported(shadow.encode(said)) == said


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"lamps": {"lamp-0001": Duty(program="strete")}}, "lamp 'lamp-0001': there is no program 'strete'"),
        ({"lamps": {"Lamp 1": Duty()}}, "'Lamp 1' cannot name a lamp"),
        ({"lamps": {"lamp-0001": Duty(lighting_class="M9")}}, "lamp 'lamp-0001': 'M9' is no lighting class"),
        ({"programs": {"street": Program(wet_class="Q1")}}, "program 'street': wet_class: 'Q1' is no lighting class"),
        (
            {"programs": {"street": Program(periods=(Period(steps=(Step(at="sunset"),)),))}},
            "program 'street': [periods[0].steps[0]] at: 'sunset' is no instant of a night",
        ),
        (
            {"commands": (Command(id="c-2", lamps=(), percent=0, at_ms=0, until_ms=8 * 86_400_000),)},
            "command 'c-2': it must last up to 168 hours",
        ),
        ({"commands": (Command(id="c-3", lamps=(), percent=0, at_ms=5, until_ms=5),)}, "command 'c-3': it must last"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(changes: dict[str, object], complaint: str) -> None:
    payload = shadow.encode(msgspec.structs.replace(DESIRED, **changes))

    with pytest.raises(BadPayload, match="^" + complaint.replace("[", r"\[")):
        shadow.desired(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b'{"version": -1}',
        b'{"version": 1, "lamp": {}}',
        b'{"version": 1, "lamps": {"lamp-0001": {"nominal_power_w": 1e400}}}',
        b'{"version": 1, "commands": [{"id": "c", "lamps": [], "percent": 101, "at_ms": 0, "until_ms": 1}]}',
        b"[" * 100_000,
        b" " * (shadow.MAX_PAYLOAD + 1),
    ],
    ids=lambda payload: repr(payload[:40]),
)
def test_bytes_of_whatever_kind_end_in_one_line(payload: bytes) -> None:
    with pytest.raises(BadPayload) as caught:
        shadow.desired(payload)

    assert "\n" not in str(caught.value)


def test_a_full_house_of_lamps_fits_into_the_bound() -> None:
    duty = Duty(
        program="street", lighting_class="M4", traffic=("lamp-0001/traffic", "lamp-0012/traffic"), weather="lamp-0012/weather"
    )
    full = msgspec.structs.replace(DESIRED, lamps={f"lamp-{n:05}": duty for n in range(shadow.MAX_LAMPS)})

    assert len(shadow.encode(full)) < shadow.MAX_PAYLOAD / 2
