"""Which gateway has which port, and what hangs there: what a fitter would write down, made from the catalogue."""

import msgspec

from hoflicht.catalogue import City, Role, sites_by_gateway

NODE_ROLES = (Role.ENTRY_CONTROL, Role.YARD_EXIT, Role.BAY, Role.GATE)  # what a yard's own microcontroller sees
LAMP_DRIVERS = {"traffic": "ops243", "air": "sds011"}
LAMP_DRIVER = "driver"  # the sensor of a lamp that hangs on a DALI line
GEARS = 64  # on one line: DALI's short addresses
YARD_AIR = {"air": "sps30"}


class PortPlan(msgspec.Struct, frozen=True):
    """One serial port; `sensor` is empty where the device names its sensors itself."""

    name: str
    driver: str
    site: str
    sensor: str


class LinePlan(msgspec.Struct, frozen=True):
    """A DALI line behind its serial gateway; a lamp's place in `lamps` is its short address."""

    name: str
    lamps: tuple[str, ...]


class SignPlan(msgspec.Struct, frozen=True):
    """The port of a sign, and the yard that it speaks of."""

    name: str
    yard: str


class GatewayPlan(msgspec.Struct, frozen=True):
    """The ports of a gateway; each of its yards has one sign."""

    ports: tuple[PortPlan, ...]
    signs: tuple[SignPlan, ...]
    lines: tuple[LinePlan, ...] = ()

    @property
    def names(self) -> list[str]:
        """Of all serial ports, whatever hangs there."""
        return [*(port.name for port in self.ports), *(line.name for line in self.lines), *(sign.name for sign in self.signs)]


def layout(city: City) -> dict[str, GatewayPlan]:
    """The ports of every gateway of `city`."""
    plans: dict[str, GatewayPlan] = {}
    for gateway, sites in sites_by_gateway(city).items():
        if gateway not in city.gateways:
            continue
        yards = [yard for yard in city.yards if yard in sites]
        before = {yard: f"{yard}-" if len(yards) > 1 else "" for yard in yards}
        ports = [port for yard in yards for port in _yard_ports(city, yard, before[yard])]
        ports += _street_ports(city, sites)
        signs = tuple(SignPlan(f"{before[yard]}sign", yard) for yard in yards)
        plans[gateway] = GatewayPlan(tuple(ports), signs, _lines(city, sites))
    return plans


def _yard_ports(city: City, yard: str, before: str) -> list[PortPlan]:
    sensors = city.yards[yard].sensors
    drivers = {name: "ops243" for name, sensor in sensors.items() if sensor.role is Role.LANE_ENTRY}
    drivers |= {name: "tfmini" for name, sensor in sensors.items() if sensor.role is Role.LANE}
    drivers |= {name: driver for name, driver in YARD_AIR.items() if name in sensors}
    ports = [PortPlan(f"{before}{name}", driver, yard, name) for name, driver in drivers.items()]
    if any(sensor.role in NODE_ROLES for sensor in sensors.values()):
        ports.append(PortPlan(f"{before}node", "node", yard, ""))
    return ports


def _street_ports(city: City, sites: frozenset[str]) -> list[PortPlan]:
    lamps = {name: lamp for name, lamp in city.lamps.items() if name in sites}
    ports = [
        PortPlan(f"{name}-{sensor}", LAMP_DRIVERS[sensor], name, sensor)
        for name, lamp in lamps.items()
        for sensor in lamp.sensors
        if sensor in LAMP_DRIVERS
    ]
    meters = {name for name, cabinet in city.cabinets.items() if "meter" in cabinet.sensors}
    return ports + [PortPlan(f"{name}-meter", "sdm630", name, "meter") for name in city.cabinets if name in sites & meters]


def _lines(city: City, sites: frozenset[str]) -> tuple[LinePlan, ...]:
    lamps = [name for name, lamp in city.lamps.items() if name in sites and LAMP_DRIVER in lamp.sensors]
    starts = range(0, len(lamps), GEARS)
    return tuple(LinePlan(f"dali-{n + 1}", tuple(lamps[start : start + GEARS])) for n, start in enumerate(starts))
