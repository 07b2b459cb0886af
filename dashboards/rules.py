"""Alert rules in Grafana's words: what is asked, when it is wrong, and how bad that is.

A rule asks the data source (A, and B where two things are compared), takes the newest number of each series (X of A, Y of B), and
compares them in Z. Z is a `math` expression and no `threshold`, which the earlier releases of Grafana 9 do not know. Texts hold no
dollar sign: in a provisioning file Grafana would take what follows for a variable of its environment.
"""

import enum
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from dashboards.datasource import TYPE, UID
from dashboards.drift import JsonObject
from dashboards.words import Language
from hoflicht.faults import Severity

FOLDER_UID = "hoflicht-alarms"  # not the one of the boards: in files a folder goes by its title, and whoever comes first makes it
FOLDER_TITLE = "hoflicht alarms"
OURS = "hoflicht"  # the label of all rules: what the notification policy goes by
EVERY_S = 60  # how often a group is evaluated; most readings come once a minute
STEP_MS, MOST_POINTS = 1_000, 43_200  # what Grafana puts in where it is missing: told, so that nothing differs afterwards
EXPRESSION = "__expr__"
ORG = 1  # in the API Grafana takes the token's own


class Text(NamedTuple):
    """The same in both languages; `{x}` and `{y}` stand for the numbers compared, `{site}` and `{sensor}` for whose they are."""

    de: str
    en: str

    def told(self, language: Language) -> str:
        """One of them."""
        return self.de if language == "de" else self.en


class Group(enum.StrEnum):
    """Rules that are looked at together, one after the other."""

    LAMPS = "lamps"
    YARDS = "yards"
    GATEWAYS = "gateways"
    PLATFORM = "platform"


class Silence(enum.StrEnum):
    """What it means when a question has no answer at all."""

    FINE = "OK"  # nobody measures that here
    ALARM = "Alerting"


class Trouble(enum.StrEnum):
    """What it means when a question cannot be asked."""

    # One rule says that the database is away (`nothing-stored`); forty that say it too would hide what it is.
    FINE = "OK"
    ALARM = "Alerting"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm; `name` is its address in Grafana, `section` the one in the runbook, and neither ever changes."""

    name: str
    group: Group
    severity: Severity
    title: Text
    meaning: Text
    ask: str
    against: str = ""  # a second question
    range_s: int  # how far back is asked
    wrong: str  # an expression of $X, and $Y where there is a second question
    lasting_s: int  # before anybody is told
    silence: Silence = Silence.FINE
    trouble: Trouble = Trouble.FINE
    section: str = ""

    @property
    def uid(self) -> str:
        """Of the rule in Grafana: at most 40 characters."""
        return f"hoflicht-{self.name}"

    @property
    def anchor(self) -> str:
        """Of its section in the runbook."""
        return self.section or self.name


def as_asked(rule: Rule, language: Language, runbook: str) -> JsonObject:
    """The rule as both formats have it: files, and the API, which wants to know its place too."""
    title, meaning = rule.title.told(language), rule.meaning.told(language)
    whose = [place for place in ("{site}", "{sensor}") if place in meaning]
    queries = [_query("A", rule.ask, rule.range_s), _newest("X", "A")]
    if rule.against:
        queries += [_query("B", rule.against, rule.range_s), _newest("Y", "B")]
    return {
        "uid": rule.uid,
        "title": title,
        "condition": "Z",
        "data": [*queries, _expression("Z", {"type": "math", "expression": rule.wrong})],
        "noDataState": str(rule.silence),
        "execErrState": str(rule.trouble),
        "for": duration(rule.lasting_s),
        "annotations": {
            "summary": _filled(f"{title}: {' '.join(whose)}" if whose else title),
            "description": _filled(meaning),
            **_runbook(rule, runbook),
        },
        "labels": {OURS: "yes", "severity": rule.severity.name.lower()},
        "isPaused": False,
    }


def for_api(rule: Rule, language: Language, runbook: str) -> JsonObject:
    """As POST and PUT take it."""
    return as_asked(rule, language, runbook) | {"orgID": ORG, "folderUID": FOLDER_UID, "ruleGroup": str(rule.group)}


def for_file(rules: Sequence[Rule], language: Language, runbook: str) -> list[JsonObject]:
    """The groups as a provisioning file has them: the folder by its title, the interval as a text."""
    return [
        {
            "orgId": ORG,
            "name": str(group),
            "folder": FOLDER_TITLE,
            "interval": duration(EVERY_S),
            "rules": [_without_variables(as_asked(rule, language, runbook)) for rule in rules if rule.group is group],
        }
        for group in Group
    ]


def duration(seconds: int) -> str:
    """As Grafana writes it back, in the largest unit that leaves no rest: "5m", "2h", "1d".

    For how long a rule waits it took hours at most before 9.3 (grafana/grafana#58117).
    """
    for unit, size in (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _query(ref: str, text: str, range_s: int) -> JsonObject:
    model = {"datasource": {"type": TYPE, "uid": UID}, "rawQuery": True, "query": text, "resultFormat": "time_series"}
    return _asked(ref, UID, range_s, model)


def _newest(ref: str, of: str) -> JsonObject:
    # Steps without a value are left out; a series of nothing else is no data.
    return _expression(ref, {"type": "reduce", "expression": of, "reducer": "last", "settings": {"mode": "dropNN"}})


def _expression(ref: str, model: JsonObject) -> JsonObject:
    return _asked(ref, EXPRESSION, 0, model | {"datasource": {"type": EXPRESSION, "uid": EXPRESSION}})


def _asked(ref: str, source: str, range_s: int, model: JsonObject) -> JsonObject:
    return {
        "refId": ref,
        "datasourceUid": source,
        "relativeTimeRange": {"from": range_s, "to": 0},
        "model": model | {"refId": ref, "intervalMs": STEP_MS, "maxDataPoints": MOST_POINTS},
    }


def _runbook(rule: Rule, url: str) -> dict[str, str]:
    """A link, or, where nobody has said where the runbook can be read, the name of the section."""
    return {"runbook_url": f"{url}#{rule.anchor}"} if url else {"runbook": f"{rule.anchor} (runbook.md)"}


def _filled(text: str) -> str:
    """The placeholders as Grafana's templates have them; by `.Values` rather than the usual name, which has a dollar sign."""
    places = {"x": "{{ .Values.X }}", "y": "{{ .Values.Y }}", "site": "{{ .Labels.site }}", "sensor": "{{ .Labels.sensor }}"}
    for name, place in places.items():
        text = text.replace(f"{{{name}}}", place)
    return text


def _without_variables(rule: JsonObject) -> JsonObject:
    return rule | {"title": rule["title"].replace("$", "$$")}
