"""Parts of a city that a reader chooses on a board: readings know their site alone, so a part is a condition on it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grafana_foundation_sdk.builders.dashboard import ConstantVariable, CustomVariable
from grafana_foundation_sdk.models.dashboard import VariableOption

from dashboards.influxql import AMONG, BUCKET, chosen
from hoflicht.catalogue import Cabinet, City, Lamp, cabinet_of

PART = "part"
IN_PART = {AMONG: chosen(PART)}
MOST_SITES = 400  # of a part: it stands in the address of the board, and many a proxy takes 8 kB there at most


class Scope(NamedTuple):
    """What the boards are built for: a catalogue, where there is one, and the bucket of the data source."""

    city: City | None = None
    bucket: str = "hoflicht"


class Part(NamedTuple):
    """A name for people, and a condition that stands in a query."""

    name: str
    condition: str


ALL = "\"site\" != ''"


def parts(city: City | None) -> Iterator[Part]:
    """All lamps; with a catalogue each district, street, group and cabinet of it, a large one in several pieces."""
    yield Part("*" if city is None else city.name, ALL)
    if city is None:
        return
    lit: dict[str, Cabinet | Lamp] = {**city.cabinets, **city.lamps}
    for district in dict.fromkeys(one.district for one in lit.values() if one.district):
        yield from _pieces(district, [name for name, one in lit.items() if one.district == district])
    for street in dict.fromkeys(lamp.street for lamp in city.lamps.values()):
        yield from _pieces(street, [name for name, one in lit.items() if one.street == street])
    for group, own in city.groups.items():
        yield from _pieces(f"{group}: {own.name}", [name for name, lamp in city.lamps.items() if lamp.group == group])
    for cabinet in city.cabinets:
        yield from _pieces(cabinet, [cabinet, *(lamp for lamp in city.lamps if cabinet_of(city, lamp) == cabinet)])


def any_of(sites: Sequence[str]) -> str:
    """The condition that a reading is of one of `sites`."""
    return " OR ".join(f"\"site\" = '{site}'" for site in sites)


def among(sites: Sequence[str]) -> str:
    """The same, half as long: a regular expression, which Grafana leaves alone in what is put in raw. Ids hold nothing special."""
    return f'"site" =~ /^({"|".join(sites)})$/'


def choice_of_part(city: City | None) -> CustomVariable:
    """The list of all parts."""
    all_parts = list(parts(city))
    options = [VariableOption(text=part.name, value=part.condition, selected=part.condition == ALL) for part in all_parts]
    query = ", ".join(f"{_escaped(part.name)} : {part.condition}" for part in all_parts)
    return (
        CustomVariable(PART)
        .label("part of the city")
        .values(query)
        .options(options)
        .current(options[0])
        .multi(False)
        .include_all(False)
    )


def bucket(name: str) -> ConstantVariable:
    """The bucket of the data source, for questions that go to the hourly one beside it."""
    return ConstantVariable(BUCKET).value(name)


def _pieces(name: str, sites: Sequence[str]) -> Iterator[Part]:
    pieces = [sites[start : start + MOST_SITES] for start in range(0, len(sites), MOST_SITES)]
    for number, piece in enumerate(pieces, start=1):
        yield Part(name if len(pieces) == 1 else f"{name} ({number})", among(piece))


def _escaped(name: str) -> str:
    """A name in Grafana's list "name : value, name : value"."""
    return name.replace(",", "\\,").replace(" : ", ": ")
