"""Config errors name file, key and what is allowed."""

import re
from pathlib import Path

import pytest

from hoflicht import BadConfig
from hoflicht.broker import BrokerConfig
from hoflicht.config import Strict, choose, load, secret


class Port(Strict, frozen=True):
    path: str
    baud: int = 9600


class Config(Strict, frozen=True):
    gateway: str
    broker: BrokerConfig = BrokerConfig()
    ports: dict[str, Port] = {}
    extra: Port | None = None


def complaint(tmp_path: Path, text: str) -> str:
    path = tmp_path / "edge.toml"
    path.write_text(text)
    with pytest.raises(BadConfig) as caught:
        load(path, Config)
    return str(caught.value).removeprefix(f"{path}: ")


def unplaced(complaint: str) -> str:
    """Without its line."""
    return re.sub(r"^line \d+: ", "", complaint)


def test_a_config_is_a_frozen_struct_with_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text('gateway = "gw-1"\n[ports.air]\npath = "/dev/ttyUSB0"\n')

    assert load(path, Config) == Config(gateway="gw-1", ports={"air": Port(path="/dev/ttyUSB0", baud=9600)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('gatway = "g"', "unknown key 'gatway'; allowed: gateway, broker, ports, extra (did you mean 'gateway'?)"),
        ("", "the key 'gateway' is missing"),
        ("gateway = 7", "gateway: Expected `str`, got `int`"),
        (
            'gateway = "g"\n[ports.air]\npath = "x"\nbuad = 1',
            "[ports.air] unknown key 'buad'; allowed: path, baud (did you mean 'baud'?)",
        ),
        ('gateway = "g"\n[ports.air]\nbaud = 1', "[ports.air] the key 'path' is missing"),
        ('gateway = "g"\n[extra]\npth = "x"', "[extra] unknown key 'pth'; allowed: path, baud (did you mean 'path'?)"),
        (
            'gateway = "g"\n[broker]\nhots = "x"',
            "[broker] unknown key 'hots'; allowed: host, port, username, password_file, ca_file, cert_file, key_file"
            " (did you mean 'host'?)",
        ),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(tmp_path: Path, text: str, expected: str) -> None:
    assert unplaced(complaint(tmp_path, text)) == expected


def test_what_is_not_toml_names_the_line(tmp_path: Path) -> None:
    assert complaint(tmp_path, "gateway = \n") == "not TOML: Invalid value (at line 1, column 11)"


def test_a_missing_file_is_named() -> None:
    with pytest.raises(BadConfig, match=r"^/nowhere/edge\.toml: cannot be read \(No such file or directory\)$"):
        load(Path("/nowhere/edge.toml"), Config)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(BadConfig, match=r"driver 'sds01' is unknown; known: sds011, sps30 \(did you mean 'sds011'\?\)"):
        choose("driver", "sds01", {"sds011": 1, "sps30": 2})


def test_a_secret_comes_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")

    assert secret(str(tmp_path / "token"), "[store] token_file") == "s3cret"


def test_a_missing_secret_names_key_and_file() -> None:
    with pytest.raises(BadConfig, match=r"\[store\] token_file: the file /nowhere/token cannot be read"):
        secret("/nowhere/token", "[store] token_file")
