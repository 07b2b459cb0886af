"""What lamps shall do goes out to their gateways and what became of it comes back, over a real broker."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

import edge.shadow
from api.light.lights import NOTHING, Lights, Override, Said, added
from api.light.shadows import Shadows
from hoflicht import shadow, topics
from hoflicht.broker import BrokerConfig, Message, Received, Session
from hoflicht.catalogue import City
from hoflicht.clock import HandClock
from hoflicht.errors import BadConfig, Unavailable
from hoflicht.shadow import Outcome, Reported
from tests.conftest import Mosquitto
from tests.fleet import PATIENCE_S, Fleet, large_city, talking

LIGHT = topics.reported("gw-strasse", topics.LIGHT)


def override(named: str, clock: HandClock, lamp: str = "lamp-0001") -> Override:
    now_ms = clock.now_ms()
    return Override(id=named, percent=70, at_ms=now_ms, until_ms=now_ms + 600_000, lamp=lamp)


def say(lights: Lights, each: Override, clock: HandClock) -> None:
    lights.change(lambda said: added(said, each, clock.now_ms()))


@contextmanager
def telling(city: City, folder: Path, broker: BrokerConfig, clock: HandClock) -> Iterator[tuple[Lights, Shadows]]:
    """The api's publisher, for what staff say."""
    lights = Lights(folder / "lights.json")
    shadows = Shadows(city, lights.said, clock)
    with talking(shadows, broker, clock):
        yield lights, shadows


def sent(shadows: Shadows, clock: HandClock) -> list[shadow.Desired]:
    """What goes out now."""
    messages: list[Message] = []
    shadows.send(messages.append, clock.now_ms())
    return [shadow.desired(message.payload) for message in messages]


def reported(version: int, **more: object) -> Message:
    return Message(topic=LIGHT, payload=shadow.encode(Reported(version=version, **more)))  # type: ignore[arg-type]


@pytest.mark.live
def test_without_any_staff_the_catalogue_s_policy_reaches_the_gateway_and_is_retained(
    city: City, broker: Mosquitto, clock: HandClock
) -> None:
    with Fleet(broker.config, ["gw-strasse"]) as fleet, talking(Shadows(city, lambda: NOTHING, clock), broker.config, clock):
        fleet.until(lambda: bool(fleet.desired["gw-strasse"]))
    with Session(broker.config, "later", [topics.desired("gw-strasse", topics.LIGHT)]) as later:
        kept = next(event for event in iter(lambda: later.event(PATIENCE_S), None) if isinstance(event, Received))

    [desired] = fleet.desired["gw-strasse"]
    assert (desired.version, len(desired.lamps), set(desired.programs)) == (clock.now_ms(), 24, {"hauptstrasse"})
    assert kept.message.retain
    assert shadow.desired(kept.message.payload) == desired


@pytest.mark.live
def test_an_override_goes_out_and_its_outcome_comes_back(city: City, broker: Mosquitto, tmp_path: Path, clock: HandClock) -> None:
    with (
        Fleet(broker.config, ["gw-strasse"], failing=["lamp-0002"]) as fleet,
        telling(city, tmp_path, broker.config, clock) as (lights, shadows),
    ):
        fleet.until(lambda: bool(fleet.desired["gw-strasse"]))
        one, two = override("one", clock), override("two", clock, "lamp-0002")
        say(lights, one, clock)
        say(lights, two, clock)
        fleet.until(lambda: len(shadows.outcomes(one)) + len(shadows.outcomes(two)) == 2)

        assert shadows.outcomes(one) == {"lamp-0001": Outcome.APPLIED}
        assert shadows.outcomes(two) == {"lamp-0002": Outcome.FAILED}
        assert [command.id for command in fleet.desired["gw-strasse"][-1].commands] == ["one", "two"]


@pytest.mark.live
def test_a_broker_that_has_forgotten_everything_is_told_again(
    city: City, broker: Mosquitto, tmp_path: Path, clock: HandClock
) -> None:
    with Fleet(broker.config, ["gw-strasse"]) as fleet, telling(city, tmp_path, broker.config, clock) as (lights, _):
        fleet.until(lambda: len(fleet.desired["gw-strasse"]) == 1)
        say(lights, override("one", clock), clock)
        fleet.until(lambda: len(fleet.desired["gw-strasse"]) == 2)
        broker.kill()
        broker.start()
        fleet.until(lambda: len(fleet.desired["gw-strasse"]) >= 3)

    assert fleet.desired["gw-strasse"][-1] == fleet.desired["gw-strasse"][1]


def test_a_version_is_given_only_where_something_changed(tmp_path: Path, clock: HandClock) -> None:
    city, lights = large_city(2, 2), Lights(tmp_path / "lights.json")
    shadows = Shadows(city, lights.said, clock)
    first = sent(shadows, clock)
    clock.advance(1_000)
    say(lights, override("one", clock, "lamp-01-000"), clock)

    second, third = sent(shadows, clock), sent(shadows, clock)

    assert [desired.version for desired in first] == [clock.now_ms() - 1_000] * 2
    assert [(set(desired.lamps), desired.version) for desired in second] == [({"lamp-01-000", "lamp-01-001"}, clock.now_ms())]
    assert third == []


def test_versions_rise_where_the_clock_stands_or_goes_back(city: City, tmp_path: Path, clock: HandClock) -> None:
    lights = Lights(tmp_path / "lights.json")
    shadows = Shadows(city, lights.said, clock)
    versions = [desired.version for desired in sent(shadows, clock)]
    for n in range(3):
        say(lights, override(f"n-{n}", clock, f"lamp-000{n + 1}"), clock)
        versions += [desired.version for desired in sent(shadows, clock)]
        clock.jump(-60_000)

    assert len(versions) == 4
    assert versions == sorted(set(versions))


def test_after_a_restart_with_a_clock_that_was_set_back_the_report_of_the_gateway_mends_the_version(
    city: City, tmp_path: Path, clock: HandClock
) -> None:
    lights = Lights(tmp_path / "lights.json")
    [before] = sent(Shadows(city, lights.said, clock), clock)
    clock.jump(-86_400_000)
    say(lights, override("one", clock), clock)
    restarted = Shadows(city, lights.said, clock)
    [too_old] = sent(restarted, clock)

    restarted.settle(reported(before.version))
    [mended] = sent(restarted, clock)

    assert too_old.version < before.version < mended.version
    assert mended.commands == too_old.commands != ()
    assert sent(restarted, clock) == []


def test_a_gateway_out_of_its_mind_moves_no_version_beyond_reason(city: City, clock: HandClock) -> None:
    shadows = Shadows(city, lambda: NOTHING, clock)
    sent(shadows, clock)

    shadows.settle(reported(2**53 - 1))

    assert sent(shadows, clock) == []


def test_a_gateway_speaks_for_its_own_lamps_only(tmp_path: Path, clock: HandClock) -> None:
    city, lights = large_city(2, 1), Lights(tmp_path / "lights.json")
    shadows, one = Shadows(city, lights.said, clock), override("one", clock, "lamp-01-000")
    say(lights, one, clock)
    said = shadow.encode(Reported(version=1, outcomes={"one": {Outcome.APPLIED: ("lamp-01-000",)}, "unknown": {}}))

    shadows.settle(Message(topic=topics.reported("gw-00", topics.LIGHT), payload=said))
    foreign = dict(shadows.outcomes(one))
    shadows.settle(Message(topic=topics.reported("gw-01", topics.LIGHT), payload=said))

    assert (foreign, shadows.outcomes(one)) == ({}, {"lamp-01-000": Outcome.APPLIED})


def test_that_its_time_is_over_does_not_hide_who_followed(city: City, tmp_path: Path, clock: HandClock) -> None:
    lights, one = Lights(tmp_path / "lights.json"), override("one", clock)
    shadows = Shadows(city, lights.said, clock)
    say(lights, one, clock)
    found = []
    for outcome in (Outcome.ACCEPTED, Outcome.FAILED, Outcome.APPLIED, Outcome.EXPIRED):
        shadows.settle(reported(1, outcomes={"one": {outcome: ("lamp-0001",)}}))
        found.append(shadows.outcomes(one)["lamp-0001"])

    assert found == [Outcome.ACCEPTED, Outcome.FAILED, Outcome.APPLIED, Outcome.APPLIED]


def test_a_report_that_cannot_be_read_is_told_once_and_changes_nothing(
    city: City, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    shadows = Shadows(city, lambda: NOTHING, clock)
    shadows.settle(reported(1))

    with caplog.at_level(logging.WARNING):
        for payload in (b"{", b"\xff", b'{"version":-1}', b'{"version":1,"more":2}', b"[" * 100_000, b"x" * 600_000):
            shadows.settle(Message(topic=LIGHT, payload=payload))
        shadows.settle(Message(topic=LIGHT, payload=b""))  # somebody cleared what was retained
        shadows.settle(Message(topic=topics.reported("gw-fremd", topics.LIGHT), payload=b"{"))

    assert shadows.of_lamp("lamp-0001")["gw-strasse"].reported == Reported(version=1)
    assert len(caplog.messages) == 1


def test_a_refusal_is_an_error_once(city: City, clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    shadows = Shadows(city, lambda: NOTHING, clock)

    for _ in range(3):
        shadows.settle(reported(1, refused_version=2, refused="lamp 'x': no"))

    assert caplog.messages == ["gw-strasse refuses what its lamps shall do: lamp 'x': no"]


def test_what_the_broker_does_not_take_goes_next_time(tmp_path: Path, clock: HandClock) -> None:
    shadows, taken = Shadows(large_city(3, 1), lambda: NOTHING, clock), list[Message]()

    def take_two(message: Message) -> None:
        if len(taken) == 2:
            raise Unavailable("no connection to the broker")
        taken.append(message)

    shadows.send(take_two, clock.now_ms())
    rest = sent(shadows, clock)
    shadows.forget()

    assert [len(rest), len(sent(shadows, clock))] == [1, 3]


def test_a_city_of_many_gateways_is_told_in_portions(clock: HandClock) -> None:
    shadows = Shadows(large_city(250, 1), lambda: NOTHING, clock)

    assert [len(sent(shadows, clock)) for _ in range(4)] == [100, 100, 50, 0]


def test_a_catalogue_that_no_gateway_could_follow_ends_the_start(clock: HandClock) -> None:
    with pytest.raises(BadConfig, match="the gateway gw-00 speaks for 1025 lamps"):
        Shadows(large_city(1, 1_025), lambda: NOTHING, clock)


def test_where_several_gateways_speak_for_a_lamp_the_best_outcome_counts(tmp_path: Path, clock: HandClock) -> None:
    city = large_city(2, 1)
    city = msgspec.structs.replace(
        city, gateways={name: msgspec.structs.replace(each, sites=("lamp-00-*",)) for name, each in city.gateways.items()}
    )
    one = override("one", clock, "lamp-00-000")
    shadows = Shadows(city, lambda: Said(overrides=(one,)), clock)
    for gateway, outcome in (("gw-00", Outcome.APPLIED), ("gw-01", Outcome.FAILED)):
        said = shadow.encode(Reported(version=1, outcomes={"one": {outcome: ("lamp-00-000",)}}))
        shadows.settle(Message(topic=topics.reported(gateway, topics.LIGHT), payload=said))

    assert shadows.outcomes(one) == {"lamp-00-000": Outcome.APPLIED}


def test_what_is_sent_is_what_a_gateway_follows_and_reports(city: City, tmp_path: Path, clock: HandClock) -> None:
    lights, one = Lights(tmp_path / "lights.json"), override("one", clock)
    shadows = Shadows(city, lights.said, clock)
    gateway = edge.shadow.Shadow(tmp_path / "gw-light", "boot", frozenset(city.lamps), clock)

    def exchange() -> dict[str, Outcome]:
        shadows.send(gateway.take, clock.now_ms())
        shadows.settle(Message(topic=LIGHT, payload=shadow.encode(gateway.report())))
        return dict(shadows.outcomes(one))

    exchange()
    say(lights, one, clock)
    accepted = exchange()
    order = gateway.orders().of("lamp-0001")
    assert order.command is not None
    gateway.heed(order.command, "lamp-0001", edge.shadow.Happening.FOLLOWED)
    applied = exchange()
    clock.advance(600_000)
    gateway.orders()

    assert (accepted, applied) == ({"lamp-0001": Outcome.ACCEPTED}, {"lamp-0001": Outcome.APPLIED})
    assert exchange() == {"lamp-0001": Outcome.APPLIED}
    assert gateway.report().outcomes == {"one": {Outcome.EXPIRED: ("lamp-0001",)}}
    assert (order.command.percent, order.duty.lighting_class, order.program) == (70, "M3", city.programs["hauptstrasse"])
    behind = shadows.of_lamp("lamp-0001")["gw-strasse"]
    assert behind.reported is not None
    assert behind.reported.version == behind.desired.version
