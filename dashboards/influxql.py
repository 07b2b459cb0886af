"""InfluxQL queries as Grafana keeps them: plain enough for Grafana 9 to 13 and InfluxDB 1.8 to 3.

Plain means: regular expressions in the value of a variable only, `${__interval}` in braces and `${name:raw}` for variables. Grafana
has escaped other forms wrongly, or left them alone, in one release or another (grafana/grafana#80003, #114260).
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.dashboard import AnnotationTarget, DataSourceRef

from dashboards.datasource import TYPE, UID
from hoflicht.catalogue import STAFF
from hoflicht.quantities import QUANTITIES

STEP = "${__interval}"  # Grafana chooses it so that a panel gets about one point a pixel
IN_VIEW = "$timeFilter"  # the span of time that the board shows
LATELY = "time > now() - 5m"  # for panels that say "now": what is older is not shown at all
DATA_SOURCE = DataSourceRef(TYPE, UID)
BUCKET = "bucket"  # the variable of a board that holds the name of the data source's bucket
HOUR = "1h"
HOURLY = "_hourly"  # behind it: the bucket with hourly values, field `value` their mean, beside it `min`, `max` and `count`


BY_STAFF = {"sensor": STAFF}
AMONG = ""  # in place of a tag: the value is a whole condition, as dashboards.parts makes them
Where = Mapping[str, str] | None  # tags and their values


class Query(variants.Dataquery, builder.Builder["Query"]):
    """One query of a panel; `legend` may hold `$tag_site` and the like. It is its own builder, because panels ask for one."""

    def __init__(self, text: str, legend: str = "", *, table: bool = False) -> None:
        self.text = text
        self.ref_id = "A"  # a panel numbers its queries
        self._legend = legend
        self._table = table

    def build(self) -> "Query":
        return self

    def to_json(self) -> dict[str, object]:
        """What Grafana's InfluxDB data source reads."""
        return {
            "refId": self.ref_id,
            "datasource": DATA_SOURCE,
            "rawQuery": True,
            "query": self.text,
            "resultFormat": "table" if self._table else "time_series",
            "alias": self._legend,
        }


class Marks(AnnotationTarget, builder.Builder[AnnotationTarget]):
    """The query of an annotation, of which the SDK knows those of Grafana's own data source only."""

    def __init__(self, name: str, text: str, column: str) -> None:
        super().__init__()
        self._name = name
        self._text = text
        self._column = column

    def build(self) -> AnnotationTarget:
        return self

    def to_json(self) -> dict[str, object]:
        """What Grafana's InfluxDB data source reads."""
        return {
            "refId": self._name,
            "rawQuery": True,
            "textEditor": True,
            "fromAnnotations": True,
            "query": self._text,
            "textColumn": self._column,
            "tagsColumn": self._column,
        }


def over_time(
    quantity: str,
    select: str,
    where: Where = None,
    by: Sequence[str] = (),
    *,
    step: str = STEP,
    fill: str = "null",
    zone: str = "",
) -> str:
    """One value a step for each value of the tags `by`; `select` works on the field, as in `mean("value")`.

    Days and weeks begin in the time zone `zone`, without one in UTC.
    """
    group = _group([f"time({step})", *_quoted(by)])
    return f"SELECT {select} FROM {_name(quantity)} WHERE {_all(where, IN_VIEW)} {group} fill({fill}){_zone(zone)}"


def once(quantity: str, select: str, where: Where = None, by: Sequence[str] = (), *, since: str = IN_VIEW) -> str:
    """One value for each value of the tags `by`, in a column named as the quantity."""
    name = f'"{quantity.removesuffix(HOURLY)}"'
    return f"SELECT {select} AS {name} FROM {_name(quantity)} WHERE {_all(where, since)} {_group(_quoted(by))}".strip()


def last(quantity: str, where: Where = None, by: Sequence[str] = (), *, since: str = IN_VIEW) -> str:
    """The newest value, with the time it was measured at."""
    return once(quantity, 'last("value")', where, by, since=since)


def rate(quantity: str, per: str, where: Where = None, by: Sequence[str] = ()) -> str:
    """By how much a counter grows in the time `per`, mean of each step; a counter that begins anew takes nothing away."""
    # Of each two readings, and not of the steps: their last one is not over, and would show a fall that there is none.
    tags = _quoted(by)
    each = f'SELECT non_negative_derivative("value", {per}) AS "rate" FROM {_name(quantity)} WHERE {_all(where, IN_VIEW)}'
    rates = f"{each} {_group(tags)}".strip()
    return f'SELECT mean("rate") FROM ({rates}) WHERE {IN_VIEW} {_group([f"time({STEP})", *tags])} fill(none)'


def of_all(select: str, inner: str, condition: str = "", by: Sequence[str] = (), *, since: str = "") -> str:
    """One value of the answers to `inner` that meet `condition`, for each value of the tags `by`.

    `since` is that of `inner`, where it asks for readings or the last of them: without it InfluxDB opens all that it has kept,
    which takes nine times as long with a quarter of a year. Where `inner` asks for steps it must not be told: what begins before
    it is left out.
    """
    conditions = " AND ".join(filter(None, (condition, since)))
    where = f" WHERE {conditions}" if conditions else ""
    return f"SELECT {select} FROM ({inner}){where} {_group(_quoted(by))}".strip()


def grown(quantity: str, where: Where = None, by: Sequence[str] = (), *, step: str = STEP, zone: str = "", times: float = 1) -> str:
    """By how much all counters together grew in each step, `times` a factor; a counter that begins anew takes nothing away.

    Of hourly values the first step is left out where it is longer than an hour: it has none before it to compare with.
    """
    # Of those the last of each step, four times as fast; of raw ones each, so that a step in which one begins anew still counts.
    steps = f"time({step})"
    by_step = quantity.endswith(HOURLY) and step != HOUR
    field = "max" if quantity.endswith(HOURLY) else "value"
    one = f'last("{field}")' if by_step else f'"{field}"'
    fill = f" fill(none){_zone(zone)}"
    growth = f'SELECT non_negative_difference({one}) AS "one" FROM {_name(quantity)} WHERE {_all(where, IN_VIEW)}'
    each = f"{growth} {_group([steps, '*'])}{fill}" if by_step else f"{growth} {_group(['*'])}"
    factor = "" if times == 1 else f" * {times:g}"
    return f'SELECT sum("one"){factor} FROM ({each}) WHERE {IN_VIEW} {_group([steps, *_quoted(by)])}{fill}'


def growth(quantity: str, where: Where = None, by: Sequence[str] = (), *, since: str = IN_VIEW) -> str:
    """As `grown`, of the whole span."""
    field = "max" if quantity.endswith(HOURLY) else "value"
    each = f'SELECT non_negative_difference("{field}") AS "one" FROM {_name(quantity)} WHERE {_all(where, since)} GROUP BY *'
    return of_all('sum("one")', each, by=by, since=since)


def newest_of(quantities: Iterable[str], where: Where = None, by: Sequence[str] = (), *, since: str = IN_VIEW) -> str:
    """The newest value of each of `quantities`, in a column named "one"."""
    names = ", ".join(_name(quantity) for quantity in quantities)
    return f'SELECT last("value") AS "one" FROM {names} WHERE {_all(where, since)} {_group(_quoted(by))}'


def unseen(fault: str, where: Where = None, *, told: str) -> str:
    """1 for each site that has `fault` by its newest word since `told`, and whose staff have not seen it; of the others 0 at most.

    That staff have seen it is a word of theirs on the fault itself. It counts in view, and until the fault was gone meanwhile.
    """
    # InfluxQL compares no times and joins no quantities. But of one quantity it puts the answers to several questions in order of
    # time: the newest of "it is gone" (0) and "staff have seen it" (-1) is added to what is so now.
    word, by = f'AS "{fault}"', _group(['"site"'])
    gone = f'SELECT last("value") {word} FROM {_name(fault)} WHERE {_all(where, IN_VIEW)} AND "value" = 0 {by}'
    seen = f'SELECT 0 - "value" {word} FROM {_name(fault)} WHERE {_all({**(where or {}), **BY_STAFF}, IN_VIEW)} {by}'
    newest = f'SELECT last("{fault}") {word} FROM ({gone}), ({seen}) WHERE {IN_VIEW} {by}'
    return f'SELECT sum("{fault}") {word} FROM ({last(fault, where, ["site"], since=told)}), ({newest}) WHERE {IN_VIEW} {by}'


def said(quantities: Iterable[str], where: Where) -> str:
    """The instants at which staff said so, 0 is to take it back; for `Marks`. Each word counts, also the first one of all."""
    names = ", ".join(_name(quantity) for quantity in quantities)
    return f'SELECT "value", "site" FROM {names} WHERE {_all({**(where or {}), **BY_STAFF}, IN_VIEW)} AND "value" > 0'


def loudness(where: Where, step: str) -> str:
    """The sound level of each step: of levels the mean is that of their energy, 60 dB and 70 dB are 67.4."""
    energy = f'SELECT exp("value" * {math.log(10) / 10:.9f}) AS "one" FROM {_name("sound_level")} WHERE {_all(where, IN_VIEW)}'
    return f'SELECT 10 * log10(mean("one")) FROM ({energy}) WHERE {IN_VIEW} {_group([f"time({step})"])} fill(null)'


def hourly(quantity: str) -> str:
    """Stands for the hourly values of `quantity`, which are kept for ever; raw readings go after 90 days."""
    return f"{quantity}{HOURLY}"


def hour_of_day(quantity: str, hour: int, where: Where, zone: str, none: float) -> str:
    """The mean of this hour of each day, `none` where it has no value."""
    # InfluxQL knows no hour of the day: of means by the hour, the first in each span of a day that begins with this hour.
    hours = f'SELECT mean("value") AS "one" FROM {_name(quantity)} WHERE {_all(where, IN_VIEW)} GROUP BY time(1h) fill({none:g})'
    return f'SELECT first("one") FROM ({hours}) WHERE {IN_VIEW} GROUP BY time(1d, {hour}h) fill(none){_zone(zone)}'


def marked(quantities: Iterable[str], where: Where = None) -> str:
    """The instants at which one of `quantities` rose, with the site; for `Marks`."""
    names = ", ".join(_name(quantity) for quantity in quantities)
    rises = f'SELECT difference("value") AS "rise" FROM {names} WHERE {_all(where, IN_VIEW)} GROUP BY "site"'
    return f'SELECT "rise", "site" FROM ({rises}) WHERE "rise" > 0 AND {IN_VIEW}'


def tag_values(quantity: str, tag: str = "site") -> str:
    """All values of a tag that have readings of `quantity`; for a board's variable."""
    return f'SHOW TAG VALUES FROM {_name(quantity)} WITH KEY = "{tag}"'


def chosen(variable: str) -> str:
    """What the reader of a board has chosen, to stand in a query unescaped."""
    return f"${{{variable}:raw}}"


def _name(quantity: str) -> str:
    plain = quantity.removesuffix(HOURLY)
    if plain not in QUANTITIES:
        raise KeyError(f"no quantity {plain!r} in hoflicht.quantities")
    return f'"{plain}"' if plain == quantity else f'"{chosen(BUCKET)}{HOURLY}".."{plain}"'


def _all(where: Where, time: str) -> str:
    return " AND ".join([*(_is(tag, value) for tag, value in (where or {}).items()), time])


def _is(tag: str, value: str) -> str:
    return f"({value})" if tag == AMONG else f"\"{tag}\" = '{value}'"


def _zone(name: str) -> str:
    return f" tz('{name}')" if name else ""


def _quoted(tags: Sequence[str]) -> list[str]:
    return [f'"{tag}"' for tag in tags]


def _group(by: Sequence[str]) -> str:
    return f"GROUP BY {', '.join(by)}" if by else ""
