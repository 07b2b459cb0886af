"""A small city with an authority of its own, for tests that need certificates."""

from pathlib import Path

from edge import enroll
from edge.config import load_edge
from hoflicht.broker import BrokerConfig
from hoflicht.clock import Clock, SystemClock
from ingest import authority, registrar
from ingest.authority import Authority

CITY = """
name = "Musterstadt"
[cabinets.cabinet-1]
street = "Am Markt"
lat = 51.4
lon = 6.7
[gateways.gw-a]
sites = ["cabinet-1"]
[gateways.gw-b]
sites = ["cabinet-1"]
[gateways.ingest]
sites = ["cabinet-1"]
"""


def write_authority(folder: Path, port: int = 8443) -> Path:
    """A config in `folder`, with a CA."""
    (folder / "city.toml").write_text(CITY)
    config = folder / "authority.toml"
    config.write_text(f'city = "city.toml"\nnames = ["127.0.0.1"]\nlisten = "127.0.0.1:{port}"\n')
    authority.found(folder / "authority", SystemClock())
    return config


def opened(folder: Path, clock: Clock) -> Authority:
    """The authority of a config that was just written."""
    return registrar.open_authority(write_authority(folder), clock)


def enrolled_by_hand(config: Path, gateway: str, folder: Path) -> BrokerConfig:
    """A gateway that has got its certificate from the authority at `config` without a network: how it reaches the broker."""
    folder.mkdir(exist_ok=True)
    place = ["--folder", str(folder)]
    assert enroll.main([gateway, "--request", *place]) == 0
    assert registrar.main(["sign", str(folder / f"{gateway}.csr"), "--config", str(config)]) == 0
    assert enroll.main([gateway, "--certificate", str(folder / f"{gateway}.json"), *place]) == 0
    return load_edge(folder / "edge.toml").broker
