"""The configuration of each gateway and of the roles on the server of a new city, with a word on each key."""

import statistics
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from hoflicht.catalogue import Lamp
from workshop.answers import NODE, Answers, SensorAnswer, SignAnswer, YardAnswer, yard_gateway, yard_id
from workshop.written import value

EDGE = """\
# hoflicht edge: the gateway {gateway}. Lives in /etc/hoflicht/edge.toml there; deploy/etc/edge.toml explains every key.

# Its name in city.toml and in its certificate.
gateway = {name}
# Readings are stamped once a time service has set the clock.
clock = "ntp"
# /healthz and /metrics, for this machine.
http = "127.0.0.1:9101"

[spool]
# Readings wait here until the database has them.
path = "/var/lib/hoflicht/spool.db"

[broker]
host = {server}
port = 8883
# hoflicht enroll {gateway} https://{host}:8443 brings all three.
ca_file = "ca.crt"
cert_file = {certificate}
key_file = {key}
"""
PORTS = """
# One table per serial port. `ls -l /dev/serial/by-id/` shows the paths, hoflicht sniff PATH --driver … what a device says.
"""
SIGNS = """
# One table per LED sign.
"""
LIGHT = """
# Lamps hang on DALI lines: a table [lines.…] for each line, and one [lamps.…] for each driver on it (deploy/etc/edge.toml).
[light]
# Where they stand, for the sun, and in whose time their programs are written.
lat = {lat}
lon = {lon}
zone = {zone}
"""
INGEST = """\
# hoflicht ingest: from the broker to the store. deploy/etc/ingest.toml explains every key.

# The catalogue: which gateway may speak for which site.
city = "city.toml"
# Where refused readings are kept for repair (hoflicht quarantine list).
quarantine = {quarantine}
# /healthz and /metrics.
http = {http}

[store]
{store}
[broker]
# The broker's listener inside the server.
host = {broker}
port = 1883
username = "ingest"
password_file = {password}
"""
API = """\
# hoflicht api: waiting times over HTTP, page and kiosk. deploy/etc/api.toml explains every key.

city = "city.toml"
# Put a web server with TLS before it.
listen = {listen}
# Of several apis with one store exactly one publishes.
publish = true

[store]
{store}
[broker]
host = {broker}
port = 1883
username = "api"
password_file = {password}

[limits]
# Whose X-Forwarded-For is believed: the web server with TLS.
proxies = ["127.0.0.0/8", "::1", "172.16.0.0/12"]

# The staff API; hoflicht keys makes the keys.
[staff]
keys = {keys}
audit = {audit}
lights = {lights}
notices = {notices}
"""
AUTHORITY = """\
# hoflicht authority, revoke, broker-config: the city's own certificates. deploy/etc/authority.toml explains every key.

city = "city.toml"
# By which gateways call broker and authority; they are told the first.
names = [{server}]
folder = "authority"
broker_port = 8883
listen = "0.0.0.0:8443"
"""
OPERATOR = """\
# hoflicht configure: who may push configs to gateways.

[broker]
host = "127.0.0.1"
port = 1883
username = "operator"
password_file = "operator_password"
"""
INFLUX_URL = "influx+http://influxdb:8086/hoflicht?org=hoflicht"


class Server(NamedTuple):
    """What differs between the server of deploy/compose.yaml and one without containers."""

    store: str
    broker: str
    secrets: Mapping[str, str]  # the password's file, by role
    listen: str
    http: str


def server(answers: Answers) -> Server:
    """The kind of server that was asked for."""
    if answers.store == "influx":
        store = f'url = {value(INFLUX_URL)}\n# Holds the token.\ntoken_file = "/run/secrets/influx_token"\n'
        file = "/run/secrets/broker_password"
        return Server(store, "mosquitto", {"ingest": file, "api": file}, "0.0.0.0:8000", "0.0.0.0:9102")
    store = f"# One file; enough for a yard or a few.\nurl = {value(f'sqlite:///{answers.data}/readings.db')}\n"
    files = {role: f"{role}_password" for role in ("ingest", "api")}
    return Server(store, "127.0.0.1", files, "127.0.0.1:8000", "127.0.0.1:9102")


def ingest(answers: Answers) -> str:
    """The text of ingest.toml."""
    own = server(answers)
    quarantine, password = f"{answers.data}/quarantine.db", own.secrets["ingest"]
    return INGEST.format(
        quarantine=value(quarantine), http=value(own.http), store=own.store, broker=value(own.broker), password=value(password)
    )


def api(answers: Answers) -> str:
    """The text of api.toml."""
    own = server(answers)
    files = {name: value(f"{answers.data}/staff-{name}.json{'l' if name == 'audit' else ''}") for name in STAFF_FILES}
    return API.format(
        listen=value(answers.listen or own.listen),
        store=own.store,
        broker=value(own.broker),
        password=value(own.secrets["api"]),
        **files,
    )


STAFF_FILES = ("keys", "audit", "lights", "notices")


def authority(answers: Answers) -> str:
    """The text of authority.toml."""
    return AUTHORITY.format(server=value(answers.server))


def edge(answers: Answers, gateway: str, lamps: Mapping[str, Lamp]) -> str:
    """The text of the config of `gateway`."""
    text = EDGE.format(
        gateway=gateway,
        name=value(gateway),
        host=answers.server,
        server=value(answers.server),
        certificate=value(f"{gateway}.crt"),
        key=value(f"{gateway}.key"),
    )
    yards = [yard for yard in answers.yards if gateway in {yard_gateway(yard), *(one.gateway for one in yard.sensors)}]
    ports = [port for yard in yards for port in _ports(yard, gateway, f"{yard_id(yard)}-" if len(yards) > 1 else "")]
    signs = [_sign(yard) for yard in yards if yard.sign and yard_gateway(yard) == gateway]
    text += (PORTS + "".join(ports) if ports else "") + (SIGNS + "".join(signs) if signs else "")
    if answers.lamps and lamps and gateway == answers.lamps.gateway:
        lat = statistics.median(lamp.lat for lamp in lamps.values())
        lon = statistics.median(lamp.lon for lamp in lamps.values())
        text += LIGHT.format(lat=value(round(lat, 4)), lon=value(round(lon, 4)), zone=value(answers.timezone))
    return text


def _ports(yard: YardAnswer, gateway: str, before: str) -> Iterator[str]:
    own = [sensor for sensor in yard.sensors if (sensor.gateway or yard_gateway(yard)) == gateway]
    nodes = dict.fromkeys(sensor.path for sensor in own if sensor.driver == NODE)
    for number, path in enumerate(nodes, 1):
        named = ", ".join(sensor.name for sensor in own if sensor.path == path)
        name = f"{before}node{'' if len(nodes) == 1 else f'-{number}'}"
        yield f"# It names its sensors itself: {named}.\n{_port(name, path, NODE, yard_id(yard))}"
    for sensor in own:
        if sensor.driver != NODE:
            yield _port(f"{before}{sensor.name}", sensor.path, sensor.driver, yard_id(yard), sensor)


def _port(name: str, path: str, driver: str, site: str, sensor: SensorAnswer | None = None) -> str:
    named = f"sensor = {value(sensor.name)}\n" if sensor else ""
    return f"[ports.{name}]\npath = {value(path)}\ndriver = {value(driver)}\nsite = {value(site)}\n{named}\n"


def _sign(yard: YardAnswer) -> str:
    if yard.sign is None:
        return ""
    own = msgspec.structs.asdict(yard.sign)
    usual = msgspec.structs.asdict(SignAnswer(path=""))
    told = {"path": own.pop("path"), "yard": yard_id(yard), "protocol": own.pop("protocol")}
    told |= {key: one for key, one in own.items() if key == "width" or one != usual[key]}
    return "".join([f"[signs.{yard_id(yard)}]\n", *(f"{key} = {value(one)}\n" for key, one in told.items())])
