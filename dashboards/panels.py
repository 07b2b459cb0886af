"""One function per kind of panel: what it says, in which unit, and from which value on it needs a person."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, QueryVariable, ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    GraphTresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    LineInterpolation,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DynamicConfigValue,
    Panel,
    Threshold,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
    VariableRefresh,
    VariableSort,
)

from dashboards.influxql import DATA_SOURCE, Query, tag_values
from hoflicht.quantities import QUANTITIES

GREEN, YELLOW, RED, BLUE, GREY = "green", "yellow", "red", "blue", "#8e8e8e"
HEIGHT = 8  # of Grafana's grid rows, about 30 pixels each
GAP_MS = 300_000  # a longer silence is drawn as a gap, a shorter one is the time between two readings
LINE_WIDTH = 2  # pixels; readable on a wall
UNITS = {  # SenML's name to Grafana's
    "s": units.Seconds,
    "h": units.Hours,
    "count": units.Short,
    "/": units.NoUnit,
    "%": units.Percent,
    "W": units.Watt,
    "kWh": units.KiloWattHour,
    "B": units.BytesIEC,
    "ug/m3": units.MicrogramPerCubicMeter,
}

Limits = Mapping[float, str]  # from this value on, this colour; below the first one green


def board(uid: str, title: str, description: str, *, start: str) -> Dashboard:
    """An empty board; `uid` is its address in Grafana and never changes, `start` is what it first shows, as in "now-24h"."""
    return (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["hoflicht"])
        .time(start, "now")
        .refresh("1m")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
    )


def place(onto: Dashboard, panels: Sequence[Builder[Panel]]) -> Dashboard:
    """Put `panels` on a board from left to right, and number them, so that links to a panel stay right."""
    for number, panel in enumerate(panels, start=1):
        panel.build().id_val = number
        onto.with_panel(panel)
    return onto


def choice(name: str, label: str, quantity: str) -> QueryVariable:
    """A list of the sites that have readings of `quantity`; one is chosen, for all of them would need a regular expression."""
    return (
        QueryVariable(name)
        .label(label)
        .datasource(DATA_SOURCE)
        .query(tag_values(quantity))
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(False)
        .include_all(False)
    )


def lines(
    title: str, meaning: str, unit: str, queries: Sequence[Query], *, limits: Limits | None = None, width: int = 12
) -> timeseries.Panel:
    """Values over time; a limit is a dashed line across."""
    return (
        timeseries.Panel()
        .title(title)
        .description(meaning)
        .datasource(DATA_SOURCE)
        .targets([*_numbered(queries)])
        .unit(unit)
        .axis_soft_min(0)
        .line_width(LINE_WIDTH)
        .show_points(VisibilityMode.AUTO)
        .span_nulls(GAP_MS)
        .thresholds(_thresholds(limits))
        .thresholds_style(
            common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED if limits else GraphTresholdsStyleMode.OFF)
        )
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .height(HEIGHT)
        .span(width)
    )


def steps(
    title: str, meaning: str, unit: str, queries: Sequence[Query], *, limits: Limits | None = None, width: int = 12
) -> timeseries.Panel:
    """Values that hold until the next one: levels, settings."""
    return lines(title, meaning, unit, queries, limits=limits, width=width).line_interpolation(LineInterpolation.STEP_AFTER)


def bars(
    title: str, meaning: str, unit: str, queries: Sequence[Query], *, limits: Limits | None = None, width: int = 12
) -> timeseries.Panel:
    """Amounts per step: passages, energy, errors."""
    return lines(title, meaning, unit, queries, limits=limits, width=width).draw_style(GraphDrawStyle.BARS).fill_opacity(60)


def band(panel: timeseries.Panel, low: str, high: str) -> timeseries.Panel:
    """Fill `panel` between the series named `low` and `high`, and draw their lines thin."""
    thin = DynamicConfigValue("custom.lineWidth", 0)
    fill = [DynamicConfigValue("custom.fillBelowTo", low), DynamicConfigValue("custom.fillOpacity", 20), thin]
    return panel.override_by_name(high, fill).override_by_name(low, [thin])


def numbers(
    title: str, meaning: str, unit: str, queries: Sequence[Query], *, limits: Limits | None = None, width: int = 24
) -> stat.Panel:
    """One large number per series, its last; "–" where there is none."""
    return (
        stat.Panel()
        .title(title)
        .description(meaning)
        .datasource(DATA_SOURCE)
        .targets([*_numbered(queries)])
        .unit(unit)
        .no_value("–")
        .thresholds(_thresholds(limits))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .height(HEIGHT // 2)
        .span(width)
    )


def states(
    title: str, meaning: str, queries: Sequence[Query], names: Mapping[int, tuple[str, str]], *, width: int = 24
) -> statetimeline.Panel:
    """One bar per series; `names` gives each value its word and colour."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(meaning)
        .datasource(DATA_SOURCE)
        .targets([*_numbered(queries)])
        .unit(units.NoUnit)
        .mappings(_mappings(names))
        .thresholds(_thresholds(None))
        .merge_values(True)
        .override_by_field_type("number", [DynamicConfigValue("custom.spanNulls", GAP_MS)])
        .show_value(VisibilityMode.AUTO)
        .legend(_legend())
        .height(HEIGHT)
        .span(width)
    )


def rows(
    title: str, meaning: str, unit: str, queries: Sequence[Query], *, limits: Limits | None = None, width: int = 12
) -> table.Panel:
    """A table, the longest silent first; its time is shown as an age."""
    return (
        table.Panel()
        .title(title)
        .description(meaning)
        .datasource(DATA_SOURCE)
        .targets([*_numbered(queries)])
        .unit(unit)
        .thresholds(_thresholds(limits))
        .override_by_name(
            "Time", [DynamicConfigValue("unit", units.DateTimeFromNow), DynamicConfigValue("displayName", "last word")]
        )
        .sort_by([common.TableSortByFieldState().display_name("last word").desc(False)])
        .height(HEIGHT)
        .span(width)
    )


def unit_of(quantity: str) -> str:
    """Grafana's name for the unit of `quantity`."""
    return UNITS[QUANTITIES[quantity].unit]


def _numbered(queries: Sequence[Query]) -> Sequence[Query]:
    for letter, query in zip("ABCDEFGH", queries, strict=False):
        query.ref_id = letter
    return queries


def _legend() -> common.VizLegendOptions:
    return common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True)


def _thresholds(limits: Limits | None) -> ThresholdsConfig:
    return ThresholdsConfig().steps(
        [Threshold(None, GREEN), *(Threshold(value, colour) for value, colour in (limits or {}).items())]
    )


def _mappings(names: Mapping[int, tuple[str, str]]) -> list[ValueMapping]:
    return [ValueMap({str(value): ValueMappingResult(text=text, color=colour) for value, (text, colour) in names.items()})]
