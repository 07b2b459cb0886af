"""A pack is sorted into what is stored and what is set aside."""

import pytest

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
    assert [(one.fault, one.reason, senml.decode(one.pack).readings) for one in verdict.faulty] == [
        ("out-of-range", "hof-nord/air: temperature is not within -60 to 150 Cel", hot),
        ("foreign-site", "gw-hof-nord does not speak for hof-sued", [foreign]),
    ]


def test_a_record_that_is_no_reading_keeps_its_own_pack(city: City) -> None:
    payload = b'[{"bn":"hof-nord/air/","bt":1800000000,"n":"temperature","v":20},{"n":"colour","v":1}]'

    verdict = judge(Checks(city), "gw-hof-nord", payload, NOW)

    assert verdict.readings == [GOOD]
    assert [(one.fault, one.reason) for one in verdict.faulty] == [("not-a-reading", "unknown quantity 'colour'")]
    assert senml.decode(verdict.faulty[0].pack).bad[0].reason == "unknown quantity 'colour'"


def test_a_batch_of_many_faults_is_kept_in_one_piece(city: City) -> None:
    records = ",".join(f'{{"n":"colour-{n}","v":1}}' for n in range(21))
    payload = f'[{{"bn":"hof-nord/air/","bt":1800000000,"n":"temperature","v":20}},{records}]'.encode()

    verdict = judge(Checks(city), "gw-hof-nord", payload, NOW)

    assert verdict.readings == [GOOD]
    assert [(one.reason, one.pack) for one in verdict.faulty] == [
        ("unknown quantity 'colour-0' (one of many faults in this batch)", payload)
    ]


def test_what_is_no_pack_at_all_has_no_verdict(city: City) -> None:
    with pytest.raises(BadPayload):
        judge(Checks(city), "gw-hof-nord", b"hello", NOW)


def test_what_the_store_hands_back_is_packed_by_its_reason() -> None:
    kept = refused([Rejected(GOOD, "old"), Rejected(Reading("a", "x", "passage", 1, 1.0), "odd"), Rejected(GOOD, "old")])

    assert kept == [
        Faulty(Fault.REFUSED_BY_STORE, "old", senml.encode([GOOD, GOOD])),
        Faulty(Fault.REFUSED_BY_STORE, "odd", senml.encode([Reading("a", "x", "passage", 1, 1.0)])),
    ]
