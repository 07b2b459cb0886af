"""A board: its links to others, its choices, its marks, and where its panels stand."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery, Dashboard, DashboardLink, QueryVariable
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    Panel,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.dashboard import DashboardLink as Link

from dashboards.influxql import DATA_SOURCE, Marks, tag_values
from dashboards.uids import TITLES

OF_ROW, OF_SERIES = "${__data.fields.site}", "${__field.labels.site}"  # the site of what was clicked


def board(uid: str, description: str, *, start: str, links: Sequence[str] = ()) -> Dashboard:
    """An empty board; `start` is what it first shows, as in "now-24h", `links` are the boards beside and below it.

    The span of time goes along with a link, and what is chosen where the other board has such a choice.
    """
    empty = (
        Dashboard(TITLES[uid])
        .uid(uid)
        .description(description)
        .tags(["hoflicht"])
        .time(start, "now")
        .refresh("1m")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
    )
    for other in links:
        link = DashboardLink(TITLES[other]).type(DashboardLinkType.LINK).url(address(other))
        empty.link(link.keep_time(True).include_vars(True))
    return empty


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


def marks(name: str, colour: str, query: str, text: str) -> AnnotationQuery:
    """Marks across all panels of a board, at the instants that `query` finds; `text` is the column that says what each is."""
    return AnnotationQuery().name(name).datasource(DATA_SOURCE).enable(True).icon_color(colour).target(Marks(name, query, text))


def address(uid: str, variable: str = "", site: str = OF_ROW) -> str:
    """Of a board; with `variable` set to the site that was clicked."""
    return f"/d/{uid}" + (f"?var-{variable}={site}" if variable else "")


def look(title: str, address: str) -> list[Builder[Link]]:
    """A link for a click on a panel's value."""
    return [DashboardLink(title).type(DashboardLinkType.LINK).url(address).keep_time(True)]
