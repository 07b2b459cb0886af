"""The gateway's file: what is wrong with it is said in one line that names file, table and key."""

import re
from pathlib import Path

import pytest

from edge.config import load_edge
from hoflicht import BadConfig

HEAD = 'gateway = "gw-hof-nord"\n[spool]\npath = "spool.db"\n'
AIR = '[ports.air]\npath = "/dev/serial/by-id/air"\ndriver = "sds011"\nsite = "hof-nord"\nsensor = "air"\n'
LIGHT = '[light]\nlat = 51.43\nlon = 6.76\nzone = "Europe/Berlin"\n'
LINE = '[lines.dali]\npath = "dali"\n'
LAMP = '[lamps.lamp-0001]\nline = "dali"\naddress = 0\n'
SIGN = '[signs.gate]\npath = "sign"\nyard = "hof-nord"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "edge.toml"


def complaint(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(BadConfig) as caught:
        load_edge(file)
    said = str(caught.value)
    assert said.startswith(f"{file}: ")
    assert "\n" not in said
    return re.sub(r"^line \d+: ", "", said.removeprefix(f"{file}: "))


def test_a_small_file_is_enough(file: Path) -> None:
    file.write_text(HEAD + AIR + SIGN)

    config = load_edge(file)

    assert config.spool.path == str(file.parent / "spool.db")
    assert config.spool.limit_mb == 200
    assert config.ports["air"].path == "/dev/serial/by-id/air"
    assert str(config.ports["air"].line()) == "9600 8N1"
    assert config.signs["gate"].path == str(file.parent / "sign")
    assert config.health.every_s == 60
    assert config.clock == "ntp"


def test_lamps_need_a_line_an_address_and_a_place(file: Path) -> None:
    file.write_text(HEAD + LIGHT + LINE + LAMP)

    config = load_edge(file)

    assert config.lines["dali"].path == str(file.parent / "dali")
    assert (config.lamps["lamp-0001"].address, config.lamps["lamp-0001"].sensor) == (0, "driver")


def test_a_line_may_differ_from_the_makers(file: Path) -> None:
    meter = '[ports.meter]\npath = "m"\ndriver = "sdm630"\nsite = "cabinet-07"\nsensor = "meter"\nbaud = 19200\nparity = "E"\n'
    file.write_text(HEAD + meter)

    assert str(load_edge(file).ports["meter"].line()) == "19200 8E1"


def test_the_files_of_the_broker_are_beside_the_config(file: Path) -> None:
    file.write_text(HEAD + '[broker]\nhost = "mqtt"\nca_file = "ca.pem"\nkey_file = "/etc/key.pem"\n')

    broker = load_edge(file).broker

    assert (broker.ca_file, broker.key_file, broker.cert_file) == (str(file.parent / "ca.pem"), "/etc/key.pem", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (AIR, "the key 'gateway' is missing"),
        (
            HEAD.replace("gw-hof-nord", "GW 1"),
            "gateway: 'GW 1' cannot be a name: lower case letters, digits, hyphens and underscores, at most 63",
        ),
        ('clock = "sundial"\n' + HEAD, "clock: 'sundial' is unknown; known: gnss, ntp, system"),
        ('clock = "gnss"\n' + HEAD + AIR, "clock: gnss needs one port with the driver nmea, here are 0"),
        (
            HEAD + AIR.replace("sds011", "sds11"),
            "[ports.air] driver: 'sds11' is unknown; known: lufft-umb, nmea, node, ops243, sdm120, sdm630, sds011,",
        ),
        (HEAD + AIR.replace("sensor =", "senor ="), "[ports.air] unknown key 'senor'; allowed: path, driver,"),
        (HEAD + AIR.replace('"air"\n', '"Air"\n'), "[ports.air] sensor: 'Air' cannot be a name"),
        (HEAD + AIR.replace('sensor = "air"\n', ""), "[ports.air] the key 'sensor' is missing: a sds011 does not say"),
        (HEAD + AIR + "near_m = -1\n", "[ports.air] near_m: Expected `float` > 0"),
        (HEAD + AIR + "baud = 7\n", "[ports.air] baud: 7 is no speed"),
        (HEAD + AIR.replace("[ports.air]", "[ports.cpu]"), "[ports.cpu] the name of a port must be an id"),
        (HEAD + AIR + AIR.replace("ports.air", "ports.b"), "[ports.b] and [ports.air] have the same path /dev/serial/by-id/air"),
        (
            HEAD + AIR + AIR.replace("ports.air", "ports.b").replace("by-id/air", "by-id/b"),
            "[ports.b] and [ports.air] are both hof-nord/air",
        ),
        (
            HEAD + SIGN + 'protocol = "ibis"\n',
            "[signs.gate] protocol: 'ibis' is unknown; known: alpha, ibis-ds003a, ibis-ds009, ibis-ds021",
        ),
        (HEAD + SIGN + "width = 17\n", "[signs.gate] width: Invalid enum value 17"),
        (HEAD + SIGN.replace("hof-nord", "Hof Nord"), "[signs.gate] yard: 'Hof Nord' cannot be a name"),
        (HEAD.replace('path = "spool.db"', "limit_mb = 5"), "[spool] the key 'path' is missing"),
        (HEAD + LINE + LAMP, "[light] is missing: without lat, lon and zone the lamps do not know when it is dark"),
        (HEAD + LIGHT.replace("Europe", "Europa") + LINE + LAMP, "[light] zone: 'Europa/Berlin' is no time zone"),
        (HEAD + LIGHT.replace("Europe/Berlin", "../../etc") + LINE + LAMP, "[light] zone: '../../etc' is no time zone"),
        (HEAD + LIGHT.replace("51.43", "151.43") + LINE + LAMP, "[light] lat: Expected `float` <= 90.0"),
        (
            HEAD + LIGHT + LINE + LAMP.replace('"dali"', '"dalli"'),
            "[lamps.lamp-0001] line: 'dalli' is unknown; known: dali (did you mean",
        ),
        (HEAD + LIGHT + LINE + LAMP.replace("= 0", "= 64"), "[lamps.lamp-0001] address: Expected `int` <= 63"),
        (
            HEAD + LIGHT + LINE + LAMP.replace("lamp-0001", '"Lamp 1"'),
            "[lamps.Lamp 1] the name of a lamp: 'Lamp 1' cannot be a name",
        ),
        (HEAD + LIGHT + LINE + LAMP + 'sensor = "The Driver"\n', "[lamps.lamp-0001] sensor: 'The Driver' cannot be a name"),
        (
            HEAD + LIGHT + LINE + LAMP + LAMP.replace("0001", "0002"),
            "[lamps.lamp-0002] and [lamps.lamp-0001] are both address 0 of line dali",
        ),
        (
            HEAD + LIGHT + LINE.replace('"dali"', '"/dev/serial/by-id/air"') + LAMP + AIR,
            "[lines.dali] and [ports.air] have the same",
        ),
        (
            HEAD + LIGHT + LINE + LAMP + AIR.replace("hof-nord", "lamp-0001").replace('"air"\n', '"driver"\n'),
            "[lamps.lamp-0001] and [ports.air] are both lamp-0001/driver",
        ),
        (HEAD + LIGHT + LINE.replace("dali]", "air]") + AIR, "[lines.air] the name of a line must be an id that is no port's"),
    ],
)
def test_a_mistake_is_one_line_that_names_its_place(file: Path, text: str, said: str) -> None:
    assert complaint(file, text).startswith(said)
