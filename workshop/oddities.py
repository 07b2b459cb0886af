"""What is legal in a catalogue and yet hardly meant; and what one file says that another one does not know."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hoflicht.catalogue import City, Role, gateways_of, places, sensors_by_site, sites_by_gateway
from hoflicht.complaint import Complaint, about, within
from workshop.geography import FAR_KM, Spot, km, middle

if TYPE_CHECKING:
    from edge.config import EdgeConfig

COUNTING = {Role.LANE_ENTRY, Role.ENTRY_CONTROL, Role.LANE}  # without one of them there is nothing to reckon with
MAX_NAMED = 3  # of many that have the same oddity


def oddities(city: City) -> Iterator[Complaint]:
    """What of `city` is legal but odd."""
    if city.yards and not city.holidays:
        yield within((), "holidays is not set: no public holiday is kept")
    for name, yard in city.yards.items():
        if not any(sensor.role in COUNTING for sensor in yard.sensors.values()):
            yield within(("yards", name), "no sensor counts cars or watches the lane: there will be no waiting time")
        if not yard.hours.weekly:
            yield within(("yards", name, "hours"), "it is never open")
    used = {lamp.group for lamp in city.lamps.values()}
    for name in city.groups.keys() - used:
        yield within(("groups", name), "no lamp is in this group")
    yield from _about_gateways(city)
    yield from _about_places(city)


def _about_gateways(city: City) -> Iterator[Complaint]:
    speakers = {at: gateways_of(city, at[1]) for at in places(city)}
    for table in ("yards", "lamps", "cabinets"):
        alone = [at for at, gateways in speakers.items() if at[0] == table and not gateways]
        if alone:
            names = _named([name for _, name in alone])
            yield within(alone[0], f"no gateway speaks for {names}; put it into sites of one")
    for at, gateways in speakers.items():
        if len(gateways) > 1 and at[0] != "yards":  # a yard's sensors may hang at several
            yield within(at, f"{' and '.join(gateways)} both speak for it")


def _about_places(city: City) -> Iterator[Complaint]:
    spots = {at: Spot(place.lat, place.lon) for at, place in places(city).items()}
    centre = middle(list(spots.values())) if spots else None
    for at, spot in spots.items():
        if centre and km(spot, centre) > FAR_KM:
            yield about((*at, "lat"), f"{spot.lat}, {spot.lon} is {km(spot, centre):,.0f} km from the middle of the city")


def strangers(config: "EdgeConfig", city: City) -> Iterator[Complaint]:
    """What the gateway's file says that `city` does not know: its readings would be refused, its sign would have no number."""
    sites = sites_by_gateway(city).get(config.gateway)
    if sites is None or config.gateway not in city.gateways:
        yield about(("gateway",), f"the catalogue has no gateway {config.gateway!r}; it has: {', '.join(city.gateways) or 'none'}")
        return
    sensors = sensors_by_site(city)
    for name, port in config.ports.items():
        if port.site and port.site not in sites:
            yield about(("ports", name, "site"), f"{config.gateway} does not speak for {port.site!r} in the catalogue")
        elif port.sensor and port.sensor not in sensors.get(port.site, {port.sensor}):
            yield about(("ports", name, "sensor"), f"{port.site} has no {port.sensor!r} in the catalogue")
    for name, lamp in config.lamps.items():
        if name not in sites:
            yield within(("lamps", name), f"{config.gateway} does not speak for it in the catalogue")
        elif lamp.sensor not in sensors[name]:
            yield about(("lamps", name, "sensor"), f"{name} has no {lamp.sensor!r} in the catalogue")
    for name, sign in config.signs.items():
        if sign.yard not in city.yards:
            yield about(("signs", name, "yard"), f"the catalogue has no yard {sign.yard!r}")


def unheard(city: City, gateways: Mapping[str, "EdgeConfig"]) -> Iterator[Complaint]:
    """Sensors of sites that only these `gateways` speak for, and that none of them has at a port."""
    told = {(port.site, port.sensor) for config in gateways.values() for port in config.ports.values()}
    told |= {(name, lamp.sensor) for config in gateways.values() for name, lamp in config.lamps.items()}
    naming = {port.site for config in gateways.values() for port in config.ports.values() if not port.sensor}
    for at, place in places(city).items():
        speakers = gateways_of(city, at[1])
        if not speakers or not gateways.keys() >= set(speakers) or at[1] in naming:
            continue  # of another gateway's we know nothing; a node names its sensors itself
        for sensor in place.sensors:
            if (at[1], sensor) not in told:
                yield within(at, f"no port of {' or '.join(speakers)} brings its sensor {sensor!r}")


def _named(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return f"{', '.join(names[:MAX_NAMED])}{more}"
