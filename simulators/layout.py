"""Which gateway has which port, and what hangs there: what a fitter would write down, made from the catalogue."""

import msgspec

from hoflicht.catalogue import City, Role, sites_by_gateway

NODE_ROLES = (Role.ENTRY_CONTROL, Role.YARD_EXIT, Role.BAY, Role.GATE)  # what a yard's own microcontroller sees
LAMP_DRIVERS = {"traffic": "ops243", "air": "sds011"}


class PortPlan(msgspec.Struct, frozen=True):
    """One serial port; site and sensor are empty where the device names them itself."""

    name: str
    driver: str
    site: str
    sensor: str


class GatewayPlan(msgspec.Struct, frozen=True):
    """The ports of a gateway, and the yard whose sign hangs at its port `sign`, if any."""

    ports: tuple[PortPlan, ...]
    sign_of: str | None


def layout(city: City) -> dict[str, GatewayPlan]:
    """The ports of every gateway of `city`."""
    plans: dict[str, GatewayPlan] = {}
    for gateway, sites in sites_by_gateway(city).items():
        if gateway in city.gateways:
            yards = [site for site in city.yards if site in sites]
            ports = [port for yard in yards for port in _yard_ports(city, yard)]
            ports += _street_ports(city, sites)
            plans[gateway] = GatewayPlan(tuple(ports), yards[0] if yards else None)
    return plans


def _yard_ports(city: City, yard: str) -> list[PortPlan]:
    sensors = city.yards[yard].sensors
    ports = [PortPlan(name, "ops243", yard, name) for name, s in sensors.items() if s.role is Role.LANE_ENTRY]
    ports += [PortPlan(name, "tfmini", yard, name) for name, s in sensors.items() if s.role is Role.LANE]
    ports += [PortPlan(name, "sps30", yard, name) for name in sensors if name == "air"]
    if any(s.role in NODE_ROLES for s in sensors.values()):
        ports.append(PortPlan("node", "node", yard, ""))
    return ports


def _street_ports(city: City, sites: frozenset[str]) -> list[PortPlan]:
    lamps = {name: lamp for name, lamp in city.lamps.items() if name in sites}
    ports = [
        PortPlan(f"{name}-{sensor}", LAMP_DRIVERS[sensor], name, sensor)
        for name, lamp in lamps.items()
        for sensor in lamp.sensors
        if sensor in LAMP_DRIVERS
    ]
    ports += [PortPlan(f"{name}-meter", "sdm630", name, "meter") for name in city.cabinets if name in sites]
    # One line for all lamps: their nodes name lamp and sensor themselves.
    return [*ports, PortPlan("lamps", "node", "", "")] if lamps else ports
