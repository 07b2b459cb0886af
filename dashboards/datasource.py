"""The data source: InfluxDB in InfluxQL mode, with the token as a header."""

import hashlib
from typing import Any
from urllib.parse import urlsplit

import msgspec

from hoflicht.errors import BadConfig

TYPE = "influxdb"
UID = "hoflicht-influxdb"
NAME = "hoflicht"
STEP = "10s"  # no panel asks for steps finer than that; readings come every few seconds at most


class Influx(msgspec.Struct, frozen=True):
    """Where Grafana finds the readings: its own view of the address, and the bucket."""

    url: str
    bucket: str


def check(influx: Influx) -> None:
    """Raise BadConfig where the address cannot be one."""
    parts = urlsplit(influx.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadConfig(f"--influx-url {influx.url!r}: expected http(s)://host:8086, as Grafana reaches it")


def datasource(influx: Influx, authorization: str) -> dict[str, Any]:
    """The data source as Grafana's API and its provisioning files take it; `authorization` is "Token …" (InfluxDB 2.7)."""
    return {
        "name": NAME,
        "uid": UID,
        "type": TYPE,
        "access": "proxy",
        "url": influx.url,
        "database": influx.bucket,  # the earlier releases of Grafana 9 look here, later ones into jsonData (grafana/grafana#62308)
        "isDefault": False,
        "jsonData": {
            "dbName": influx.bucket,  # 2.7 answers InfluxQL for a bucket under its own name, no mapping needed
            "version": "InfluxQL",
            "httpMode": "POST",
            "timeInterval": STEP,
            "httpHeaderName1": "Authorization",
        },
        "secureJsonData": {"httpHeaderValue1": authorization},
    }


def marked(source: dict[str, Any]) -> dict[str, Any]:
    """The same with a fingerprint of its secret beside it: Grafana never tells a secret, and a changed one must be seen."""
    mark = fingerprint(str(source["secureJsonData"]["httpHeaderValue1"]))
    return source | {"jsonData": source["jsonData"] | {"hoflichtToken": mark}}


def fingerprint(secret: str) -> str:
    """Tells two secrets apart; of a random token it tells nothing else."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]
