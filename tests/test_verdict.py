"""A pack is sorted into what is stored and what is set aside."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hoflicht import BadPayload, Reading, senml
from hoflicht.catalogue import City
from ingest.checks import Checks, Fault
from ingest.verdict import MAX_REASONS, MAX_TOGETHER, Faulty, Verdict, _remembered, judge, refused
from store.answers import Rejected

NOW = 1_800_000_000_000
GOOD = Reading("hof-nord", "air", "temperature", NOW, 20.0)


def kept(verdict: Verdict) -> Faulty:
    faulty = verdict.faulty
    assert faulty is not None
    return faulty


def test_the_faulty_ones_cost_the_good_ones_nothing(city: City) -> None:
    hot = [Reading("hof-nord", "air", "temperature", NOW + n, 900.0) for n in range(2)]
    foreign = Reading("hof-sued", "gate-in", "passage", NOW, 1.0)

    verdict = judge(Checks(city), "gw-hof-nord", senml.encode([hot[0], GOOD, foreign, hot[1]]), NOW)

    assert verdict.readings == [GOOD]
    faulty = kept(verdict)
    assert faulty.faults == ("foreign-site", "out-of-range")
    assert faulty.reasons == ("gw-hof-nord does not speak for hof-sued", "hof-nord/air: temperature is not within -60 to 150 Cel")
    assert senml.decode(faulty.pack).readings == [*hot, foreign]


def test_a_record_that_is_no_reading_keeps_its_reason(city: City) -> None:
    payload = b'[{"bn":"hof-nord/air/","bt":1800000000,"n":"temperature","v":20},{"n":"colour","v":1}]'

    verdict = judge(Checks(city), "gw-hof-nord", payload, NOW)

    assert verdict.readings == [GOOD]
    faulty = kept(verdict)
    assert (faulty.faults, faulty.reasons) == (("not-a-reading",), ("unknown quantity 'colour'",))
    assert senml.decode(faulty.pack).bad[0].reason == "unknown quantity 'colour'"


def test_what_is_wrong_and_what_is_no_reading_share_a_pack_that_holds_nothing_good(city: City) -> None:
    hot = Reading("hof-nord", "air", "temperature", NOW, 900.0)
    payload = b"""[{"bn":"hof-nord/air/","bt":1800000000,"n":"colour","v":1},{"n":"humidity","u":"%","v":1},
        {"n":"temperature","v":20},{"n":"temperature","v":900},{"n":"colour","v":2}]"""

    verdict = judge(Checks(city), "gw-hof-nord", payload, NOW)

    assert verdict.readings == [GOOD]
    faulty = kept(verdict)
    assert faulty.faults == ("not-a-reading", "out-of-range")
    assert faulty.reasons == (
        "hof-nord/air: temperature is not within -60 to 150 Cel",
        "humidity is measured in %RH, not '%'",
        "unknown quantity 'colour'",
    )
    again = senml.decode(faulty.pack)
    assert again.readings == [hot]
    assert [one.reason for one in again.bad] == [faulty.reasons[2], faulty.reasons[1], faulty.reasons[2]]


def test_who_may_not_speak_for_a_place_is_told_that_alone(city: City) -> None:
    payload = b"""[{"bn":"hof-sued/air/","bt":1800000000,"n":"colour","v":1},{"n":"temperature","v":"warm"},{"n":"pm10","v":20},
        {"bn":"hof-nord/air/","n":"temperature","v":20},{"bn":"hof-nord/gate-9/","n":"passage","v":-1,"t":-9e9},7]"""

    verdict = judge(Checks(city), "gw-hof-nord", payload, NOW)

    assert verdict.readings == [GOOD]
    assert kept(verdict).reasons == (
        "gw-hof-nord does not speak for hof-sued",
        "gw-hof-nord has no sensor hof-nord/gate-9 in the catalogue",
    )


def test_a_wrong_time_or_value_is_told_from_one_that_cannot_be_read(city: City) -> None:
    at = '{"bn":"hof-nord/air/","bt":1800000000,"n":"temperature",%s}'
    odd = {
        '"v":900': "hof-nord/air: temperature is not within -60 to 150 Cel",
        '"v":20,"t":400': "more than 5 minutes in the future: is the gateway's clock set?",
        '"v":20,"t":-8e6': "older than 89 days: was the gateway's clock set?",
        '"v":20,"t":-1.8e9': "the time is relative: a repeated batch would be another point",
        '"v":20,"t":1e300': "the time is beyond the year 2100",
        '"v":"warm"': "no number in v, no boolean in vb",
        '"v":20,"u":"K"': "temperature is measured in Cel, not 'K'",
        '"v":293,"u":"K"': "temperature is measured in Cel, not 'K'",
        '"v":20,"bu":"K"': "temperature is measured in Cel, not 'K'",
        '"v":149,"bv":9': "hof-nord/air: temperature is not within -60 to 150 Cel",
    }

    assert {record: kept(judge(Checks(city), "gw-hof-nord", f"[{at % record}]".encode(), NOW)).reasons for record in odd} == {
        record: (reason,) for record, reason in odd.items()
    }


@pytest.mark.parametrize(
    "record", ['"v":20,"u":"Cel"', '"v":15,"bv":5', '"v":20,"bu":"Cel"', '"n":"hof-nord/air/temperature","bn":"","v":20']
)
def test_a_reading_in_another_form_is_stored_all_the_same(city: City, record: str) -> None:
    payload = f'[{{"bn":"hof-nord/air/","bt":1800000000}},{{"n":"temperature",{record}}},{{"n":"colour","v":1}}]'

    verdict = judge(Checks(city), "gw-hof-nord", payload.encode(), NOW)

    assert verdict.readings == [GOOD]
    assert senml.decode(kept(verdict).pack).readings == []


def test_sets_of_very_many_complaints_are_not_remembered(city: City) -> None:
    before = _remembered.cache_info().currsize
    records = ",".join(f'{{"n":"shade-{n}","v":1}}' for n in range(MAX_TOGETHER + 1))

    judge(Checks(city), "gw-hof-nord", f"[{records}]".encode(), NOW)

    assert _remembered.cache_info().currsize == before


def test_of_very_many_reasons_the_rest_is_counted(city: City) -> None:
    records = ",".join(f'{{"n":"colour-{n}","v":1}}' for n in range(MAX_REASONS + 7))

    faulty = kept(judge(Checks(city), "gw-hof-nord", f"[{records}]".encode(), NOW))

    assert len(faulty.reasons) == MAX_REASONS + 1
    assert faulty.reasons[-1] == "7 more"
    assert len(senml.decode(faulty.pack).bad) == MAX_REASONS + 7


def test_where_all_is_well_nothing_is_set_aside(city: City) -> None:
    assert judge(Checks(city), "gw-hof-nord", senml.encode([GOOD]), NOW).faulty is None


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

    faulty = verdict.faulty
    if faulty is not None:
        again = judge(checks, gateway, faulty.pack, NOW)
        assert again.readings == []
        assert again.faulty == faulty


def test_what_is_no_pack_at_all_has_no_verdict(city: City) -> None:
    with pytest.raises(BadPayload):
        judge(Checks(city), "gw-hof-nord", b"hello", NOW)


def test_what_the_store_hands_back_is_kept_with_its_reasons() -> None:
    other = Reading("a", "x", "passage", 1, 1.0)
    faulty = refused([Rejected(GOOD, "old"), Rejected(other, "odd"), Rejected(GOOD, "old")])

    assert faulty == Faulty((Fault.REFUSED_BY_STORE,), ("odd", "old"), senml.encode([GOOD, other, GOOD]))
    assert refused([]) is None
