"""A pack is sorted into what is stored and what is set aside."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hoflicht import BadPayload, Reading, senml
from hoflicht.catalogue import City
from ingest.checks import Checks, Fault
from ingest.verdict import Faulty, judge, refused
from store.answers import Rejected

NOW = 1_800_000_000_000
GOOD = Reading("hof-nord", "air", "temperature", NOW, 20.0)


def test_the_faulty_ones_cost_the_good_ones_nothing(city: City) -> None:
    hot = [Reading("hof-nord", "air", "temperature", NOW + n, 900.0) for n in range(2)]
    foreign = Reading("hof-sued", "gate-in", "passage", NOW, 1.0)

    verdict = judge(Checks(city), "gw-hof-nord", senml.encode([hot[0], GOOD, foreign, hot[1]]), NOW)

    assert verdict.readings == [GOOD]
    assert [(one.fault, one.reason, senml.decode(one.pack).readings) for one in verdict.faulty()] == [
        ("out-of-range", "hof-nord/air: temperature is not within -60 to 150 Cel", hot),
        ("foreign-site", "gw-hof-nord does not speak for hof-sued", [foreign]),
    ]


def test_a_record_that_is_no_reading_keeps_its_own_pack(city: City) -> None:
    payload = b'[{"bn":"hof-nord/air/","bt":1800000000,"n":"temperature","v":20},{"n":"colour","v":1}]'

    verdict = judge(Checks(city), "gw-hof-nord", payload, NOW)

    assert verdict.readings == [GOOD]
    assert [(one.fault, one.reason) for one in verdict.faulty()] == [("not-a-reading", "unknown quantity 'colour'")]
    assert senml.decode(verdict.faulty()[0].pack).bad[0].reason == "unknown quantity 'colour'"


def test_records_that_are_bad_alike_share_a_pack(city: City) -> None:
    payload = b'[{"bn":"hof-nord/air/","bt":1800000000,"n":"colour","v":1},{"n":"humidity","u":"%","v":1},{"n":"colour","v":2}]'

    faulty = judge(Checks(city), "gw-hof-nord", payload, NOW).faulty()

    assert [(one.reason, len(senml.decode(one.pack).bad)) for one in faulty] == [
        ("unknown quantity 'colour'", 2),
        ("humidity is measured in %RH, not '%'", 1),
    ]


def test_many_faults_of_one_batch_share_a_pack_that_holds_nothing_good(city: City) -> None:
    hot = Reading("hof-nord", "air", "temperature", NOW, 900.0)
    records = ",".join(f'{{"n":"colour-{n}","v":1}}' for n in range(20))
    payload = (
        f'[{{"bn":"hof-nord/air/","bt":1800000000,"n":"temperature","v":20}},{{"n":"temperature","v":900}},{records}]'.encode()
    )

    verdict = judge(Checks(city), "gw-hof-nord", payload, NOW)

    assert verdict.readings == [GOOD]
    [kept] = verdict.faulty()
    assert kept.reason == "hof-nord/air: temperature is not within -60 to 150 Cel (one of many faults in this batch)"
    assert senml.decode(kept.pack).readings == [hot]
    assert [one.reason for one in senml.decode(kept.pack).bad] == [f"unknown quantity 'colour-{n}'" for n in range(20)]


# Records near enough to sound ones that each check has its share; json writes NaN and infinities as bare words.
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "bn": st.sampled_from(["hof-nord/air/", "hof-sued/gate-in/", "hof-ost/x/", "", "Hof/", 7]),
        "bt": st.sampled_from([NOW / 1000, NOW / 1000 + 86_400, 0, 1e300, "now"]),
        "bu": st.sampled_from(["Cel", "", "K", 1]),
        "bv": st.sampled_from([0, 5, 1e308, "1"]),
        "n": st.sampled_from(["temperature", "passage", "colour", "hof-nord/air/humidity", "", 3]),
        "u": st.sampled_from(["Cel", "count", "%"]),
        "v": st.sampled_from([1, 20.5, 900, "one", None, True, [1], float("nan"), float("-inf"), 10**400]),
        "vb": st.booleans(),
        "t": st.sampled_from([0, 1.5, -9e6, "then"]),
    },
)
PACKS = st.lists(RECORDS, max_size=30).map(lambda records: json.dumps(records).encode())


@given(payload=PACKS | st.binary(max_size=60), gateway=st.sampled_from(["gw-hof-nord", "gw-fremd", "'hoflicht/v1/X/readings'"]))
def test_whatever_was_sent_what_is_set_aside_has_no_good_reading_in_it_and_is_judged_the_same_again(
    city: City, payload: bytes, gateway: str
) -> None:
    checks = Checks(city)
    try:
        verdict = judge(checks, gateway, payload, NOW)
    except BadPayload:
        return

    for kept in verdict.faulty():
        again = judge(checks, gateway, kept.pack, NOW)
        assert again.readings == []
        assert again.faulty() == [kept]


def test_what_is_no_pack_at_all_has_no_verdict(city: City) -> None:
    with pytest.raises(BadPayload):
        judge(Checks(city), "gw-hof-nord", b"hello", NOW)


def test_what_the_store_hands_back_is_packed_by_its_reason() -> None:
    kept = refused([Rejected(GOOD, "old"), Rejected(Reading("a", "x", "passage", 1, 1.0), "odd"), Rejected(GOOD, "old")])

    assert kept == [
        Faulty(Fault.REFUSED_BY_STORE, "old", senml.encode([GOOD, GOOD])),
        Faulty(Fault.REFUSED_BY_STORE, "odd", senml.encode([Reading("a", "x", "passage", 1, 1.0)])),
    ]
