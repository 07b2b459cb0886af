"""InfluxQL queries as Grafana keeps them: plain enough for Grafana 9 to 13 and InfluxDB 1.8 to 3.

Plain means: no regular expressions, `${__interval}` in braces and `${name:raw}` for variables. Grafana has escaped other forms
wrongly, or left them alone, in one release or another (grafana/grafana#80003, #114260).
"""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from dashboards.datasource import TYPE, UID
from hoflicht.quantities import QUANTITIES

STEP = "${__interval}"  # Grafana chooses it so that a panel gets about one point a pixel
IN_VIEW = "$timeFilter"  # the span of time that the board shows
LATELY = "time > now() - 5m"  # for panels that say "now": what is older is not shown at all
DATA_SOURCE = DataSourceRef(TYPE, UID)


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


def over_time(
    quantity: str,
    select: str,
    where: Mapping[str, str] | None = None,
    by: Sequence[str] = (),
    *,
    step: str = STEP,
    fill: str = "null",
) -> str:
    """One value a step for each value of the tags `by`; `select` works on the field, as in `mean("value")`."""
    group = _group([f"time({step})", *_quoted(by)])
    return f"SELECT {select} FROM {_name(quantity)} WHERE {_all(where, IN_VIEW)} {group} fill({fill})"


def once(
    quantity: str, select: str, where: Mapping[str, str] | None = None, by: Sequence[str] = (), *, since: str = IN_VIEW
) -> str:
    """One value for each value of the tags `by`, in a column named as the quantity."""
    return f'SELECT {select} AS "{quantity}" FROM {_name(quantity)} WHERE {_all(where, since)} {_group(_quoted(by))}'.strip()


def last(quantity: str, where: Mapping[str, str] | None = None, by: Sequence[str] = (), *, since: str = IN_VIEW) -> str:
    """The newest value, with the time it was measured at."""
    return once(quantity, 'last("value")', where, by, since=since)


def total(quantity: str, select: str, where: Mapping[str, str] | None = None, by: Sequence[str] = ("site",)) -> str:
    """The sum over the tags `by` for each step: what all lamps of a street burn. The step must be longer than a reading's age."""
    # fill(none): over steps that are filled in, 2.7.12 gives several sums for one step, and 0 where there is nothing.
    inner = over_time(quantity, f'{select} AS "one"', where, by, fill="none")
    return f'SELECT sum("one") FROM ({inner}) WHERE {IN_VIEW} {_group([f"time({STEP})"])} fill(none)'


def tag_values(quantity: str, tag: str = "site") -> str:
    """All values of a tag that have readings of `quantity`; for a board's variable."""
    return f'SHOW TAG VALUES FROM {_name(quantity)} WITH KEY = "{tag}"'


def chosen(variable: str) -> str:
    """What the reader of a board has chosen, to stand in a query unescaped."""
    return f"${{{variable}:raw}}"


def _name(quantity: str) -> str:
    if quantity not in QUANTITIES:
        raise KeyError(f"no quantity {quantity!r} in hoflicht.quantities")
    return f'"{quantity}"'


def _all(where: Mapping[str, str] | None, time: str) -> str:
    return " AND ".join([*(f"\"{tag}\" = '{value}'" for tag, value in (where or {}).items()), time])


def _quoted(tags: Sequence[str]) -> list[str]:
    return [f'"{tag}"' for tag in tags]


def _group(by: Sequence[str]) -> str:
    return f"GROUP BY {', '.join(by)}" if by else ""
