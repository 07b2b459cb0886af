"""deploy/etc: every sample loads as it stands, and every key of the configurations is in it."""

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from api.config import ApiConfig
from edge.config import EdgeConfig, load_edge
from hoflicht.config import load
from ingest.config import IngestConfig
from tests.conftest import ROOT
from workshop.backup import BackupConfig

ETC = ROOT / "deploy" / "etc"


def keys(shape: Any) -> set[str]:
    """The keys of a configuration and of all its tables."""
    if not (isinstance(shape, type) and issubclass(shape, msgspec.Struct)):
        return {key for inner in get_args(shape) for key in keys(inner)}
    fields = msgspec.structs.fields(shape)
    return {field.encode_name for field in fields} | {key for field in fields for key in keys(field.type)}


def mentioned(sample: Path) -> set[str]:
    """Keys and tables that stand in the file, commented out or not."""
    text = sample.read_text(encoding="utf-8")
    tables = {part for table in re.findall(r"^\[(.+)\]$", text, re.MULTILINE) for part in table.split(".")}
    return tables | set(re.findall(r"^(?:# )?(\w+) = ", text, re.MULTILINE))


def test_the_sample_of_a_gateway_loads() -> None:
    config = load_edge(ETC / "edge.toml")

    assert config.gateway == "gw-hof-nord"
    assert config.broker.cert_file == str(ETC / "gw-hof-nord.crt")
    assert set(config.ports) == {"counter-in", "lidar-3", "meter", "gnss", "board"}


def test_the_sample_of_ingest_loads() -> None:
    config = load(ETC / "ingest.toml", IngestConfig)

    assert (config.broker.username, config.store.url) == ("ingest", "influx+http://influxdb:8086/hoflicht?org=hoflicht")


def test_the_sample_of_the_api_loads() -> None:
    config = load(ETC / "api.toml", ApiConfig)

    assert config.broker is not None
    assert (config.broker.username, config.publish) == ("api", True)


@pytest.mark.parametrize(
    ("sample", "shape"),
    [("edge.toml", EdgeConfig), ("ingest.toml", IngestConfig), ("api.toml", ApiConfig), ("backup.toml", BackupConfig)],
)
def test_every_key_is_in_the_sample(sample: str, shape: type[msgspec.Struct]) -> None:
    assert keys(shape) - mentioned(ETC / sample) == set()
