"""One function per kind of panel: what it says, in which unit, and from which value on it needs a person."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, geomap, heatmap, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    GraphTresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    LineInterpolation,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardRegexMapOptions,
    DataTransformerConfig,
    DynamicConfigValue,
    RegexMap,
    Threshold,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode

from dashboards.influxql import DATA_SOURCE, Query
from hoflicht.quantities import QUANTITIES

GREEN, YELLOW, RED, BLUE, GREY = "green", "yellow", "red", "blue", "#8e8e8e"
HEIGHT = 8  # of Grafana's grid rows, about 30 pixels each
GAP_MS = 300_000  # a longer silence is drawn as a gap, a shorter one is the time between two readings
LINE_WIDTH = 2  # pixels; readable on a wall
UNITS = {  # SenML's name to Grafana's
    "s": units.Seconds,
    "min": units.Minutes,
    "h": units.Hours,
    "count": units.Short,
    "/": units.NoUnit,
    "%": units.Percent,
    "V": units.Volt,
    "W": units.Watt,
    "kWh": units.KiloWattHour,
    "B": units.BytesIEC,
    "ug/m3": units.MicrogramPerCubicMeter,
    "Cel": units.Celsius,
    "%RH": units.Humidity,
    "lx": units.Lux,
    "m/s": units.MetersPerSecond,
    "dB": units.Decibel,
    "mm/h": "mm/h",  # Grafana shows what it does not know as it stands
}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of a panel's queries, as Grafana names them

Limits = Mapping[float, str]  # from this value on, this colour; below the first one green


class Asked(Protocol):
    """What a panel can number."""

    ref_id: str


T = TypeVar("T", bound=Asked)
P = TypeVar("P", stat.Panel, timeseries.Panel, table.Panel, geomap.Panel)


def lines(
    title: str, meaning: str, unit: str, queries: Sequence[Query], *, limits: Limits | None = None, width: int = 12
) -> timeseries.Panel:
    """Values over time; a limit is a dashed line across."""
    return (
        timeseries.Panel()
        .title(title)
        .description(meaning)
        .datasource(DATA_SOURCE)
        .targets([*numbered(queries)])
        .unit(unit)
        .axis_soft_min(0)
        .line_width(LINE_WIDTH)
        .show_points(VisibilityMode.AUTO)
        .span_nulls(GAP_MS)
        .thresholds(thresholds_of(limits))
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
    title: str,
    meaning: str,
    unit: str,
    queries: Sequence[Query],
    *,
    limits: Limits | None = None,
    width: int = 24,
    of_series: str = "lastNotNull",
) -> stat.Panel:
    """One large number per series, its last unless `of_series` says otherwise; "–" where there is none."""
    return (
        stat.Panel()
        .title(title)
        .description(meaning)
        .datasource(DATA_SOURCE)
        .targets([*numbered(queries)])
        .unit(unit)
        .no_value("–")
        .thresholds(thresholds_of(limits))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs([of_series]).values(False))
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
        .targets([*numbered(queries)])
        .unit(units.NoUnit)
        .mappings(_mappings(names))
        .thresholds(thresholds_of(None))
        .merge_values(True)
        .override_by_field_type("number", [DynamicConfigValue("custom.spanNulls", GAP_MS)])
        .show_value(VisibilityMode.AUTO)
        .legend(_legend())
        .height(HEIGHT)
        .span(width)
    )


def rows(
    title: str,
    meaning: str,
    unit: str,
    queries: Sequence[Query],
    *,
    limits: Limits | None = None,
    names: Mapping[str, str] | None = None,
    width: int = 12,
) -> table.Panel:
    """A table, the longest silent first; its time is shown as an age, and `names` says what columns are called."""
    panel = (
        table.Panel()
        .title(title)
        .description(meaning)
        .datasource(DATA_SOURCE)
        .targets([*numbered(queries)])
        .unit(unit)
        .thresholds(thresholds_of(limits))
        .override_by_name(
            "Time", [DynamicConfigValue("unit", units.DateTimeFromNow), DynamicConfigValue("displayName", "last word")]
        )
        .sort_by([common.TableSortByFieldState().display_name("last word").desc(False)])
        .height(HEIGHT)
        .span(width)
    )
    return named(panel, names or {})


def ranking(
    title: str, meaning: str, unit: str, queries: Sequence[Query], *, limits: Limits | None = None, width: int = 12
) -> bargauge.Panel:
    """One bar per series, side by side: who has most."""
    return (
        bargauge.Panel()
        .title(title)
        .description(meaning)
        .datasource(DATA_SOURCE)
        .targets([*numbered(queries)])
        .unit(unit)
        .min(0)
        .thresholds(thresholds_of(limits))
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .height(HEIGHT)
        .span(width)
    )


def named(panel: P, names: Mapping[str, str]) -> P:
    """Call columns as `names` says."""
    for column, name in names.items():
        panel.override_by_name(column, [DynamicConfigValue("displayName", name)])
    return panel


def in_unit(panel: P, name: str, unit: str, limits: Limits | None = None) -> P:
    """Show the series `name` in a unit and with limits of its own."""
    own = [DynamicConfigValue("unit", unit), DynamicConfigValue("thresholds", {"mode": "absolute", "steps": _steps(limits)})]
    panel.override_by_name(name, own)
    return panel


def on_the_right(panel: timeseries.Panel, name: str, unit: str) -> timeseries.Panel:
    """Draw the series `name` against an axis of its own."""
    return panel.override_by_name(name, [DynamicConfigValue("unit", unit), DynamicConfigValue("custom.axisPlacement", "right")])


def in_colour(panel: P, name: str, colour: str) -> P:
    """Show the series `name` in this colour whatever its value."""
    panel.override_by_name(name, [DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})])
    return panel


def days_by_hours(title: str, meaning: str, unit: str, queries: Sequence[Query], *, none_below: float) -> heatmap.Panel:
    """Days to the right, a row per query; what is not above `none_below` is left blank."""
    colours = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(32)
    return (
        heatmap.Panel()
        .title(title)
        .description(meaning)
        .datasource(DATA_SOURCE)
        .targets([*numbered(queries)])
        .unit(unit)
        .thresholds(thresholds_of(None))
        .calculate(False)
        .color(colours)
        .filter_values(heatmap.FilterValueRange().le(none_below))
        .cell_values(heatmap.CellValues().unit(unit))
        .cell_gap(1)
        .height(2 * HEIGHT)
        .span(24)
    )


def transformed(*steps: tuple[str, object]) -> list[DataTransformerConfig]:
    """What Grafana does with the answers before it draws them: its transformations and their options, in this order."""
    return [DataTransformerConfig(id_val=name, options=options) for name, options in steps]


def reworded(panel: table.Panel, column: str, pattern: str, text: str) -> table.Panel:
    """Show `text` for the numbers of a column; `pattern` is a regular expression of JavaScript, $1 what its first group found."""
    as_text = {"conversions": [{"targetField": column, "destinationType": "string"}]}  # patterns are for texts only
    shown = RegexMap(DashboardRegexMapOptions(f"/{pattern}/", ValueMappingResult(text=text)))
    panel.override_by_name(column, [DynamicConfigValue("mappings", [shown])])
    return panel.transformations(transformed(("convertFieldType", as_text)))


def unit_of(quantity: str) -> str:
    """Grafana's name for the unit of `quantity`."""
    return UNITS[QUANTITIES[quantity].unit]


def numbered(queries: Sequence[T]) -> Sequence[T]:
    """The queries of one panel, each with its letter."""
    for number, query in enumerate(queries):
        query.ref_id = LETTERS[number]
    return queries


def _legend() -> common.VizLegendOptions:
    return common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True)


def thresholds_of(limits: Limits | None) -> ThresholdsConfig:
    """From which value on which colour."""
    return ThresholdsConfig().steps(_steps(limits))


def _steps(limits: Limits | None) -> list[Threshold]:
    return [Threshold(None, GREEN), *(Threshold(value, colour) for value, colour in (limits or {}).items())]


def _mappings(names: Mapping[int, tuple[str, str]]) -> list[ValueMapping]:
    return [ValueMap({str(value): ValueMappingResult(text=text, color=colour) for value, (text, colour) in names.items()})]
