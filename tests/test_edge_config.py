"""The gateway's file: what is wrong with it is said in one line that names file, table and key."""

from pathlib import Path

import pytest

from edge.config import load_edge
from hoflicht import BadConfig

HEAD = 'gateway = "gw-hof-nord"\n[spool]\npath = "spool.db"\n'
AIR = '[ports.air]\npath = "/dev/serial/by-id/air"\ndriver = "sds011"\nsite = "hof-nord"\nsensor = "air"\n'
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
    return said.removeprefix(f"{file}: ")


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
        ('clock = "sundial"\n' + HEAD, "clock 'sundial' is unknown; known: ntp, system"),
        (
            HEAD + AIR.replace("sds011", "sds11"),
            "[ports.air] driver 'sds11' is unknown; known: node, ops243, sdm120, sdm630, sds011,",
        ),
        (HEAD + AIR.replace("sensor =", "senor ="), "[ports.air] unknown key 'senor'; allowed: path, driver,"),
        (HEAD + AIR.replace('"air"\n', '"Air"\n'), "[ports.air] sensor: 'Air' cannot be a name"),
        (HEAD + AIR.replace('sensor = "air"\n', ""), "[ports.air] the key 'sensor' is missing: a sds011 does not say"),
        (HEAD + AIR + "near_m = -1\n", "[ports.air.near_m] Expected `float` > 0"),
        (HEAD + AIR + "baud = 7\n", "[ports.air] baud: 7 is no speed"),
        (HEAD + AIR.replace("[ports.air]", "[ports.cpu]"), "[ports.cpu] the name of a port must be an id"),
        (HEAD + AIR + AIR.replace("ports.air", "ports.b"), "[ports.b] and [ports.air] have the same path /dev/serial/by-id/air"),
        (
            HEAD + AIR + AIR.replace("ports.air", "ports.b").replace("by-id/air", "by-id/b"),
            "[ports.b] and [ports.air] are both hof-nord/air",
        ),
        (
            HEAD + SIGN + 'protocol = "ibis"\n',
            "[signs.gate] protocol 'ibis' is unknown; known: ibis-ds003a, ibis-ds009, ibis-ds021",
        ),
        (HEAD + SIGN + "width = 17\n", "[signs.gate.width] Invalid enum value 17"),
        (HEAD + SIGN.replace("hof-nord", "Hof Nord"), "[signs.gate] yard: 'Hof Nord' cannot be a name"),
        (HEAD.replace('path = "spool.db"', "limit_mb = 5"), "[spool] the key 'path' is missing"),
    ],
)
def test_a_mistake_is_one_line_that_names_its_place(file: Path, text: str, said: str) -> None:
    assert complaint(file, text).startswith(said)
