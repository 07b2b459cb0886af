"""Alarms: each is silent while all is well, tells who it is when its cause comes about on the real InfluxDB, and ends with it."""

import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
import pytest
from grafana_foundation_sdk.models import alerting

from dashboards.alarms import alarms
from dashboards.rules import EVERY_S, Rule, Silence, Text, Trouble, as_asked, duration, for_api, for_file
from hoflicht.catalogue import Cabinet, City, Lamp, load_city
from hoflicht.faults import FAULTS, Severity
from tests.conftest import ROOT, Bucket

HOUR_S, DAY_S = 3_600, 86_400
CITY = load_city(ROOT / "simulators" / "city.toml")
RUNBOOK = "https://wiki.example.org/runbook"
RULES = {rule.name: rule for rule in [*alarms(), *alarms(CITY)]}
CULPRIT, NEIGHBOUR = "the-culprit", "a-neighbour"
LAMPS = list(CITY.lamps)

Told = Mapping[tuple[str, str], tuple[float | None, float | None]]  # by site and sensor: while all is well, while it is not
Numbers = dict[frozenset[tuple[str, str]], float]  # by labels


class Case(NamedTuple):
    """How a cause comes about: what is said of `quantity` each `every_s`, for `span_s` well, as long wrong, as long well again."""

    quantity: str
    told: Told
    every_s: int = 60
    span_s: int = HOUR_S
    grows: bool = False  # a counter: `wrong` is its step
    who: frozenset[str] = frozenset({CULPRIT})


def one(quantity: str, sensor: str, well: float, wrong: float | None, every_s: int = 60, span_s: int = HOUR_S) -> Case:
    """One of two sites is concerned."""
    return Case(quantity, {(CULPRIT, sensor): (well, wrong), (NEIGHBOUR, sensor): (well, well)}, every_s, span_s)


def counter(quantity: str, sensor: str, step: float) -> Case:
    """The counter of one of two sites begins to grow."""
    return Case(quantity, {(CULPRIT, sensor): (7, step), (NEIGHBOUR, sensor): (7, 0)}, grows=True, span_s=2 * HOUR_S)


def lamps(quantity: str, failing: int, elsewhere: int = 0) -> Case:
    """So many lamps of a street fail that it is a cable; one has failed before, others elsewhere are dark all the time."""
    told = {(lamp, "driver"): (float(n == 0), float(n < failing)) for n, lamp in enumerate(LAMPS)}
    told |= {(f"elsewhere-{n}", "driver"): (1.0, 1.0) for n in range(elsewhere)}
    return Case(quantity, told, HOUR_S, 3 * HOUR_S, who=frozenset({""}))


CASES = {
    **{quantity.replace("_", "-"): one(quantity, "driver", 0, 1, HOUR_S, 3 * HOUR_S) for quantity in FAULTS},
    "dark": lamps("lamp_failure", 5),
    **{name: lamps("lamp_failure", 12, elsewhere=20) for name in RULES if name.startswith("dark-")},
    **{name: lamps("supply_loss", 12, elsewhere=20) for name in RULES if name.startswith("no-mains-")},
    "estimate-silent": one("wait_state", "estimate", 0, None),
    "wait-unknown": one("wait_state", "estimate", 0, 4),
    "counter-out": one("wait_trust", "estimate", 0, 2),
    "wait-long": one("wait_p50", "estimate", 3_540, 3_660),
    "sensor-silent": one("presence", "lane-3", 0, None),
    "sensor-stuck": one("presence", "lane-3", 0, 1, span_s=7 * HOUR_S),
    "estimate-inaccurate": one("within_3min", "estimate", 0.8, 0.3, HOUR_S, 4 * DAY_S),
    "band-wrong": one("band_coverage", "estimate", 0.8, 0.4, HOUR_S, 4 * DAY_S),
    "spill-back": Case(
        "presence",
        {("hof-nord", "lane-120"): (0, 1), ("hof-nord", "lane-50"): (1, 1), ("hof-sued", "lane-50"): (0, 0)},
        who=frozenset({"hof-nord"}),
    ),
    "counters-apart-hof-nord": Case(
        "passage",
        {("hof-nord", "gate-in"): (1, 1), ("hof-nord", "gate-out"): (1, None)},
        600,
        2 * DAY_S,
        who=frozenset({"hof-nord"}),
    ),
    "gateway-silent": one("uptime", "gateway", 1, None),
    "spool-nearly-full": one("spool_hours_left", "gateway", 70, 5),
    "readings-lost": counter("dropped", "gateway", 1),
    "backlog": one("spool_age", "gateway", 60, 4_000),
    "clock-not-set": one("clock_synchronised", "gateway", 1, 0),
    "clock-wrong": one("clock_offset", "gnss", 0.3, -1.5),
    "certificate-ends": one("certificate_left", "gateway", 400 * DAY_S, 29 * DAY_S, DAY_S, 4 * DAY_S),
    "disk-full": one("disk_free", "gateway", 0.5, 0.04, HOUR_S, 3 * HOUR_S),
    "receipts-slow": one("receipt_latency", "gateway", 0.4, 40),
    "port-closed": one("port_open", "air", 1, 0),
    "batches-refused": counter("quarantined", "gateway", 1),
    "nothing-stored": Case("uptime", {("gw-1", "gateway"): (1, None), ("gw-2", "gateway"): (1, None)}, who=frozenset({""})),
    "worker-silent": one("uptime", "worker", 1, None),
    "quarantine-grows": counter("quarantine_packs", "worker", 1),
    "quarantine-full": counter("quarantine_dropped", "worker", 1),
    "store-refuses": counter("store_errors", "worker", 2),
}


def story(case: Case, began_s: int) -> Iterator[str]:
    """Three phases of line protocol."""
    for (site, sensor), (well, wrong) in case.told.items():
        level = well or 0.0
        for at_s in range(began_s, began_s + 3 * case.span_s, case.every_s):
            is_wrong = (at_s - began_s) // case.span_s == 1
            level += (wrong or 0.0) if case.grows and is_wrong else 0.0
            value = level if case.grows else (wrong if is_wrong else well)
            if value is not None:
                yield f"{case.quantity},site={site},sensor={sensor} value={value} {at_s}"


def written(bucket: Bucket, lines: Iterator[str]) -> None:
    url = f"{bucket.server.url}/api/v2/write?org=hoflicht&bucket={bucket.name}&precision=s"
    request = urllib.request.Request(url, "\n".join(lines).encode(), {"Authorization": f"Token {bucket.token}"})
    urllib.request.urlopen(request, timeout=30).close()


def asked(bucket: Bucket, query: dict[str, Any], at_s: int) -> dict[frozenset[tuple[str, str]], list[float]]:
    """What Grafana gets when it evaluates a rule at `at_s`: the values of each series, by its labels."""
    span = query["relativeTimeRange"]
    text = query["model"]["query"].replace(
        "$timeFilter", f"time >= {at_s - span['from']}000ms and time <= {at_s - span['to']}000ms"
    )
    text = text.replace("time > now()", f"time <= {at_s}000ms and time > {at_s}000ms")  # as if it were that instant
    assert "$" not in text
    answer: Any = bucket.server.call("/query?" + urllib.parse.urlencode({"db": bucket.name, "q": text, "epoch": "ms"}))["results"][
        0
    ]
    series = answer.get("series", [])
    found = {frozenset(one.get("tags", {}).items()): [row[1] for row in one["values"] if row[1] is not None] for one in series}
    assert len(found) == len(series)  # Grafana refuses two series with the same labels
    return {labels: values for labels, values in found.items() if values}


def newest(series: dict[frozenset[tuple[str, str]], list[float]], model: dict[str, Any]) -> Numbers:
    assert (model["reducer"], model["settings"]) == ("last", {"mode": "dropNN"})
    return {labels: values[-1] for labels, values in series.items()}


def is_wrong(expression: str, numbers: Mapping[str, float]) -> bool:
    """The expressions of Grafana that we use are also Python's."""
    assert re.fullmatch(r"(abs|[$XY0-9.()<>=*+\- ])+", expression)
    return bool(eval(expression.replace("$", ""), {"abs": abs}, dict(numbers)))


def wrong_at(bucket: Bucket, rule: dict[str, Any], at_s: int) -> set[str] | None:
    """The sites of the instances that are wrong at one evaluation, "" where a rule is of no site; None where there is no data."""
    parts = {part["refId"]: part for part in rule["data"]}
    reductions = {ref: part["model"] for ref, part in parts.items() if part["model"].get("type") == "reduce"}
    numbers = {ref: newest(asked(bucket, parts[model["expression"]], at_s), model) for ref, model in reductions.items()}
    if not all(numbers.values()):
        return None
    both = set.intersection(*(set(each) for each in numbers.values()))  # as Grafana joins them: by equal labels
    expression = parts[rule["condition"]]["model"]["expression"]
    wrong = {labels for labels in both if is_wrong(expression, {ref: each[labels] for ref, each in numbers.items()})}
    return {dict(labels).get("site", "") for labels in wrong}


def fires(bucket: Bucket, rule: Rule, at_s: int) -> set[str]:
    """Who is told of at `at_s`: wrong at every evaluation for as long as the rule waits."""
    model = as_asked(rule, "de", RUNBOOK)
    step_s = max(EVERY_S, rule.lasting_s // 10)
    told = [wrong_at(bucket, model, at_s - ago_s) for ago_s in range(0, rule.lasting_s + 1, step_s)]
    no_data = {""} if model["noDataState"] == "Alerting" else set[str]()
    return set.intersection(*(no_data if each is None else each for each in told))


@pytest.mark.parametrize("name", RULES)
def test_an_alarm_comes_with_its_cause_and_goes_with_it(name: str, influx: Bucket) -> None:
    case, rule = CASES[name], RULES[name]
    began_s = int(time.time()) // DAY_S * DAY_S - 3 * case.span_s + 11  # minutes and hours do not begin when Grafana asks
    written(influx, story(case, began_s))

    before, during, after = (fires(influx, rule, began_s + n * case.span_s - 1) for n in (1, 2, 3))

    assert (before, during, after) == (set(), set(case.who), set())


@pytest.mark.parametrize("name", RULES)
def test_without_any_data_one_alarm_says_so_and_the_others_are_silent(name: str, influx: Bucket) -> None:
    rule = RULES[name]

    told = fires(influx, rule, int(time.time()))

    assert told == ({""} if name == "nothing-stored" else set())
    assert (rule.silence is Silence.ALARM, rule.trouble is Trouble.ALARM) == (name == "nothing-stored",) * 2


def fault(site: str, *told: tuple[float, float], sensor: str = "driver") -> Iterator[str]:
    """A lamp's failure: so many hours ago, and what is said of it from then on, hour by hour, as a lamp does."""
    now_s = int(time.time())
    for (ago_h, value), (until_h, _) in zip(told, [*told[1:], (0, 0)], strict=True):
        for hours in range(int((ago_h - until_h) or 1) if sensor == "driver" else 1):
            yield f"lamp_failure,site={site},sensor={sensor} value={float(value)} {now_s - 60 - int((ago_h - hours) * HOUR_S)}"


def test_what_staff_have_seen_alarms_nobody_for_a_week_or_until_it_comes_anew(influx: Bucket) -> None:
    lasts = ((300, 0), (250, 1))
    told = [fault(name, *lasts) for name in ("new", "seen", "seen-long-ago")]
    told += [fault("came-anew", (300, 0), (250, 1), (20, 0), (19, 1))]
    told += [fault(name, (ago_h, 1), sensor="staff") for name, ago_h in (("seen", 160), ("seen-long-ago", 170), ("came-anew", 30))]
    written(influx, (line for lines in told for line in lines))

    assert fires(influx, RULES["lamp-failure"], int(time.time())) == {"new", "seen-long-ago", "came-anew"}


def test_a_word_about_one_fault_is_none_about_another(influx: Bucket) -> None:
    told = [
        *fault("lamp-1", (5, 0), (4, 1)),
        *(line.replace("lamp_failure", "dimming_failure") for line in fault("lamp-1", (4, 1))),
    ]
    written(influx, iter([*told, *fault("lamp-1", (3, 1), sensor="staff")]))
    now_s = int(time.time())

    assert fires(influx, RULES["lamp-failure"], now_s) == set()
    assert fires(influx, RULES["dimming-failure"], now_s) == {"lamp-1"}


def test_a_street_whose_dark_lamps_staff_have_seen_is_no_alarm_until_more_fail(influx: Bucket) -> None:
    [rule] = [rule for rule in RULES.values() if rule.title.en.startswith("Dark: Friedrich")]
    dark = [line for lamp in LAMPS[:12] for line in fault(lamp, (9, 0), (8, 1))]
    written(influx, iter(dark))
    now_s = int(time.time())
    before = fires(influx, rule, now_s)

    written(influx, (line for lamp in LAMPS[:12] for line in fault(lamp, (7, 1), sensor="staff")))
    seen = fires(influx, rule, now_s)
    written(influx, (line for lamp in LAMPS[12:] for line in fault(lamp, (2, 1))))

    assert (before, seen, fires(influx, rule, now_s)) == ({""}, set(), {""})


def test_every_rule_has_its_cause() -> None:
    assert set(CASES) == set(RULES)


def test_cars_that_pass_the_last_sensor_are_no_queue_there(influx: Bucket) -> None:
    now_s = int(time.time())
    seen = [(at_s, 1) for at_s in range(now_s - HOUR_S, now_s, 23)]
    seen += [(at_s + 8, 0) for at_s, _ in seen]
    written(influx, (f"presence,site=hof-nord,sensor=lane-120 value={value} {at_s}" for at_s, value in seen))

    assert fires(influx, RULES["spill-back"], now_s) == set()


def test_a_lane_that_was_free_for_a_moment_has_no_stuck_sensor(influx: Bucket) -> None:
    now_s = int(time.time())
    written(influx, (f"presence,site=hof-nord,sensor=lane-3 value={int(n != 300)} {now_s - 60 * n}" for n in range(600)))

    assert fires(influx, RULES["sensor-stuck"], now_s) == set()
    assert fires(influx, RULES["sensor-stuck"], now_s + 2 * HOUR_S) == {"hof-nord"}


def test_a_quarter_of_an_hour_that_has_just_begun_is_no_silence(influx: Bucket) -> None:
    quarter_s = int(time.time()) // 900 * 900
    written(influx, (f"uptime,site=gw-1,sensor=gateway value=1 {quarter_s - 1 - 60 * n}" for n in range(120)))
    began_s = quarter_s + 10
    rule = RULES["gateway-silent"]

    assert wrong_at(influx, as_asked(rule, "en", RUNBOOK), began_s) == {"gw-1"}
    assert fires(influx, rule, began_s) == set()
    assert fires(influx, rule, quarter_s + rule.lasting_s) == {"gw-1"}


def test_a_counter_that_begins_anew_has_not_grown(influx: Bucket) -> None:
    now_s = int(time.time())
    told = {"restarted": (500, 500, 0, 0), "lossy": (500, 0, 3, 3)}
    points = [(site, value, now_s - 60 * (4 - n)) for site, values in told.items() for n, value in enumerate(values)]
    written(influx, (f"dropped,site={site},sensor=gateway value={value} {at_s}" for site, value, at_s in points))

    assert fires(influx, RULES["readings-lost"], now_s) == {"lossy"}


def test_of_a_large_city_the_largest_streets_have_alarms_of_their_own() -> None:
    streets = {f"street-{n}": 3 + n % 40 for n in range(300)}
    own = {f"{street}-{n}": Lamp(street=street, lat=51.4, lon=6.7) for street, size in streets.items() for n in range(size)}
    rules = [rule for rule in alarms(City(name="large", lamps=own)) if rule.section == "dark"]

    assert len(rules) == 400
    kept = {rule.title.en.removeprefix("Dark: ") for rule in rules if rule.title.en.startswith("Dark: ")}
    assert min(streets[name] for name in kept) >= max(size for name, size in streets.items() if name not in kept)


def test_a_street_with_a_cabinet_of_its_own_is_one_alarm_under_its_name_and_two_streets_of_a_cabinet_have_one_more() -> None:
    both = {street: Lamp(street=street, lat=51.4, lon=6.7, cabinet="cabinet-1") for street in ("Am Markt", "Am Hafen")}
    own = {f"lamp-{n}-{street[3:].lower()}": lamp for street, lamp in both.items() for n in range(3)}
    cabinets = {"cabinet-1": Cabinet(street="Am Markt", lat=51.4, lon=6.7)}

    titles = {rule.title.de for rule in alarms(City(name="small", lamps=own, cabinets=cabinets)) if rule.section == "dark"}

    assert titles == {
        f"{what}: {where}" for what in ("Dunkel", "Ohne Netzspannung") for where in ("Am Markt", "Am Hafen", "cabinet-1")
    }
    assert {rule.title.de for rule in alarms(CITY) if rule.section == "dark"} == {
        "Dunkel: Friedrich-Wilhelm-Straße",
        "Ohne Netzspannung: Friedrich-Wilhelm-Straße",
    }


def test_a_street_is_dark_when_half_of_it_is_and_three_lamps_at_least() -> None:
    bounds = {}
    for size in (2, 3, 7, 40):
        own = {f"lamp-{n}": Lamp(street="Am Markt", lat=51.4, lon=6.7) for n in range(size)}
        bounds[size] = {rule.wrong for rule in alarms(City(name="small", lamps=own)) if rule.section == "dark"}

    assert bounds == {2: set(), 3: {"$X >= 3"}, 7: {"$X >= 3.5"}, 40: {"$X >= 20"}}


def test_yards_whose_sensors_see_the_first_cars_only_have_no_alarm_of_the_road() -> None:
    [spill_back] = [rule for rule in alarms(CITY) if rule.name == "spill-back"]

    assert re.findall(r"'([a-z-]+)' AND \"sensor\" = '([a-z0-9-]+)'", spill_back.ask) == [
        ("hof-nord", "lane-120"),
        ("hof-sued", "lane-50"),
        ("hof-west", "lane-120"),
    ]


@pytest.mark.parametrize("city", [None, CITY], ids=["no catalogue", "catalogue"])
def test_no_two_alarms_share_an_address_or_a_title(city: City | None) -> None:
    rules = alarms(city)

    for language in ("de", "en"):
        titles = [as_asked(rule, language, RUNBOOK)["title"] for rule in rules]
        assert len(set(titles)) == len(titles)
    assert len({rule.uid for rule in rules}) == len(rules)
    assert all(re.fullmatch(r"[a-z0-9-]{1,40}", rule.uid) for rule in rules)


@pytest.mark.parametrize("name", RULES)
def test_an_alarm_is_what_grafana_types_say(name: str) -> None:
    model = for_api(RULES[name], "en", RUNBOOK)

    read = alerting.Rule.from_json(model)

    assert (read.uid, read.title, read.condition, read.for_val) == (model["uid"], model["title"], "Z", model["for"])
    assert [query.ref_id for query in read.data] in (["A", "X", "Z"], ["A", "X", "B", "Y", "Z"])
    assert set(read.to_json()) == set(model)
    assert [query["relativeTimeRange"]["from"] > 0 for query in model["data"]] == [
        q["datasourceUid"] != "__expr__" for q in model["data"]
    ]


@pytest.mark.parametrize("name", RULES)
def test_the_texts_of_an_alarm_have_two_languages_and_no_variable_of_an_environment(name: str) -> None:
    german, english = (as_asked(RULES[name], language, RUNBOOK)["annotations"] for language in ("de", "en"))

    for key in ("summary", "description"):
        assert german[key] != english[key]
        assert "$" not in german[key] + english[key]
        assert set(re.findall(r"{{.+?}}", german[key])) == set(re.findall(r"{{.+?}}", english[key]))
        assert not re.search(r"(?<!{){[a-z]+}(?!})", german[key] + english[key])


def test_a_fault_is_as_severe_as_its_table_says() -> None:
    severities = {quantity: RULES[quantity.replace("_", "-")].severity for quantity in FAULTS}

    assert severities == {quantity: fault.severity for quantity, fault in FAULTS.items()}
    assert for_api(RULES["lamp-failure"], "de", RUNBOOK)["labels"] == {"hoflicht": "yes", "severity": "high"}
    assert {rule.severity for rule in RULES.values()} == set(Severity)


def test_every_alarm_has_its_section_in_the_runbook_and_links_to_it() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE)
    links = {name: as_asked(rule, "en", RUNBOOK)["annotations"]["runbook_url"] for name, rule in RULES.items()}

    assert set(links.values()) == {f"{RUNBOOK}#{heading}" for heading in headings}
    assert links["lamp-failure"] == "https://wiki.example.org/runbook#lamp-failure"


def test_where_nobody_said_where_the_runbook_is_the_alarm_names_its_section() -> None:
    annotations = as_asked(RULES["lamp-failure"], "en", "")["annotations"]

    assert (annotations["runbook"], "runbook_url" in annotations) == ("lamp-failure (runbook.md)", False)


def test_the_runbook_calls_each_alarm_by_its_titles() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    sections = {section.splitlines()[0]: section for section in text.split("\n## ")[1:]}
    generic = [rule for rule in alarms() if rule.title not in (RULES["dark"].title,)]

    assert [rule.name for rule in generic if f"*{rule.title.de} / {rule.title.en}.*" not in sections[rule.anchor]] == []


def test_a_file_names_folder_and_interval_where_the_api_names_numbers() -> None:
    groups = for_file(alarms(CITY), "de", RUNBOOK)

    assert [(group["name"], group["folder"], group["interval"]) for group in groups] == [
        ("lamps", "hoflicht alarms", "1m"),
        ("yards", "hoflicht alarms", "1m"),
        ("gateways", "hoflicht alarms", "1m"),
        ("platform", "hoflicht alarms", "1m"),
    ]
    assert sum(len(group["rules"]) for group in groups) == len(alarms(CITY))
    assert not {"orgID", "folderUID", "ruleGroup"} & {key for group in groups for rule in group["rules"] for key in rule}


def test_a_dollar_in_the_name_of_a_street_is_no_variable_in_a_file() -> None:
    rule = msgspec.structs.replace(RULES["dark"], title=Text("Dunkel: $HOME", "Dark: $HOME"))

    [in_file] = for_file([rule], "en", RUNBOOK)[0]["rules"]

    assert in_file["title"] == "Dark: $$HOME"
    assert for_api(rule, "en", RUNBOOK)["title"] == "Dark: $HOME"


def test_durations_are_written_as_grafana_writes_them_back() -> None:
    assert [duration(seconds) for seconds in (0, 60, 300, 3_600, 5_400, 86_400, 604_800)] == [
        "0s",
        "1m",
        "5m",
        "1h",
        "90m",
        "1d",
        "1w",
    ]
    assert all(rule.lasting_s % 60 == 0 and rule.lasting_s <= HOUR_S for rule in RULES.values())
