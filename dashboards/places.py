"""Where lamps and yards are, and in which street: a table from the catalogue that Grafana joins with what the readings say.

Readings know their site alone. The table travels inside the board, as a query of Grafana's own data source (a "snapshot"): so there
is neither a plugin nor a file to lay beside Grafana, nor an address of ours that each browser must reach.
"""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common, geomap
from grafana_foundation_sdk.builders.dashboard import FieldColor
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.common import FrameGeometrySourceMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef, FieldColorModeId
from grafana_foundation_sdk.models.geomap import TooltipMode

from dashboards.influxql import Query
from dashboards.panels import GREY, HEIGHT, Limits, named, numbered, thresholds_of, transformed
from hoflicht.catalogue import City

MIXED = DataSourceRef("datasource", "-- Mixed --")  # each query names its own data source
GRAFANA = DataSourceRef("datasource", "grafana")
DECIMALS = 5  # of a degree: a metre
SMALL, LARGE = 4, 12  # pixels; a street of lamps 25 m apart must not become one blot
Place = tuple[str, str, float, float]  # site, street or name, latitude, longitude


class Places(variants.Dataquery, builder.Builder["Places"]):
    """A table with a row for each place, as a query. It is its own builder, because panels ask for one.

    It has a column of no faults: where nothing is wrong no query has one, and a panel would not know what to leave out.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self.ref_id = "A"  # a panel numbers its queries
        self._places = places

    def build(self) -> "Places":
        return self

    def to_json(self) -> dict[str, object]:
        """What Grafana's own data source reads."""
        columns = {"site": "string", "street": "string", "lat": "number", "lon": "number", "faults": "number"}
        frame = {
            "schema": {"fields": [{"name": name, "type": kind} for name, kind in columns.items()]},
            "data": {"values": [*(list(column) for column in zip(*self._places, strict=True)), [0] * len(self._places)]},
        }
        return {"refId": self.ref_id, "datasource": GRAFANA, "queryType": "snapshot", "snapshot": [frame]}


def lamps_of(city: City) -> list[Place]:
    """All lamps and cabinets."""
    lamps = [_place(name, lamp.street, lamp.lat, lamp.lon) for name, lamp in city.lamps.items()]
    return lamps + [_place(name, cabinet.street, cabinet.lat, cabinet.lon) for name, cabinet in city.cabinets.items()]


def yards_of(city: City) -> list[Place]:
    """All yards."""
    return [_place(name, yard.name, yard.lat, yard.lon) for name, yard in city.yards.items()]


def one_row_a_site(how: Mapping[str, str]) -> list[tuple[str, object]]:
    """Grafana's transformations to one row a site; `how` names for each column what is kept of it, and the rest is dropped.

    A column is then called as `kept` says.
    """
    # Grouped before they are merged too, for two faults of one lamp are two like rows, and merging makes one of those.
    again = {f"{name} ({which})": which for name, which in how.items()}
    return [("groupBy", grouped("site", how)), ("merge", {}), ("groupBy", grouped("site", again))]


def grouped(by: str, how: Mapping[str, str]) -> dict[str, object]:
    """The options of Grafana's transformation to one row for each value of a column."""
    fields: dict[str, object] = {name: {"operation": "aggregate", "aggregations": [which]} for name, which in how.items()}
    return {"fields": {by: {"operation": "groupby", "aggregations": []}, **fields}}


def only(column: str, test: str, **options: object) -> dict[str, object]:
    """The options of Grafana's transformation that leaves out the rows whose `column` does not pass `test`."""
    return {"type": "include", "match": "all", "filters": [{"fieldName": column, "config": {"id": test, "options": options}}]}


def map_of(
    title: str,
    meaning: str,
    places: Sequence[Place],
    queries: Sequence[Query],
    *,
    how: Mapping[str, str],
    names: Mapping[str, str],
    dots: Mapping[str, object],
    limits: Limits,
) -> geomap.Panel:
    """A map of `places`, and of nothing else that has readings.

    `how` as in `one_row_a_site`, `names` as in `rows`; `dots` is the style of Grafana's markers.
    """
    targets: list[Query | Places] = [*queries, Places(places)]
    where = common.FrameGeometrySource().mode(FrameGeometrySourceMode.COORDS).latitude(kept("lat")).longitude(kept("lon"))
    layer = common.MapLayerOptions().type("markers").name(title).location(where).config({"style": dots, "showLegend": False})
    own = {"street": "lastNotNull", "lat": "lastNotNull", "lon": "lastNotNull"}
    panel = (
        geomap.Panel()
        .title(title)
        .description(meaning)
        .datasource(MIXED)
        .targets([*numbered(targets)])
        .transformations(transformed(*one_row_a_site({**own, **how}), ("filterByValue", only(kept("lat"), "isNotNull"))))
        .unit("none")
        .thresholds(thresholds_of(limits))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .view(geomap.MapViewConfig().id("fit").all_layers(True))
        .controls(geomap.ControlsOptions().show_zoom(True).mouse_wheel_zoom(False).show_attribution(True))
        .basemap(common.MapLayerOptions().type("default").name("basemap"))
        .layers([layer.tooltip(True)])
        .tooltip(geomap.TooltipOptions().mode(TooltipMode.DETAILS))
        .height(2 * HEIGHT)
        .span(12)
    )
    return named(panel, {kept("street"): "street", **names})


def kept(name: str, which: str = "lastNotNull") -> str:
    """What Grafana calls a column of `one_row_a_site`."""
    return f"{name} ({which}) ({which})"


def dot(colour: str, size: str = "", text: str = "") -> dict[str, object]:
    """The style of a marker: column of its colour, column of its size, column of the text at its side."""
    sizes = {"fixed": LARGE, "min": SMALL, "max": LARGE, "field": size} if size else {"fixed": LARGE}
    texts = {"text": {"mode": "field", "field": text, "fixed": ""}, "textConfig": {"fontSize": 14, "offsetX": 0, "offsetY": -18}}
    symbol = {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"}
    style: dict[str, object] = {"color": {"field": colour, "fixed": GREY}, "size": sizes, "opacity": 0.8, "symbol": symbol}
    return style | (texts if text else {})


def _place(site: str, street: str, lat: float, lon: float) -> Place:
    return site, street, round(lat, DECIMALS), round(lon, DECIMALS)
