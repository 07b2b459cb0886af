"""The configuration that a gateway starts with, and its [broker] table in one that is there already."""

import json
import tomllib

from hoflicht.errors import BadConfig

STARTER = """\
# hoflicht edge: a gateway, from the serial ports to the broker. deploy/etc/edge.toml explains every key.

gateway = {gateway}
clock = "ntp"
http = "127.0.0.1:9101"

[spool]
path = "/var/lib/hoflicht/spool.db"

{broker}
# One table per serial port; hoflicht decode --list shows all drivers.
# [ports.air]
# path = "/dev/serial/by-id/…"
# driver = "sds011"
# site = "hof-nord"
# sensor = "air"
"""

Table = dict[str, str | int]


def broker_table(gateway: str, host: str, port: int) -> Table:
    """What stands in [broker]; the files are those that edge.identity writes."""
    return {"host": host, "port": port, "ca_file": "ca.crt", "cert_file": f"{gateway}.crt", "key_file": f"{gateway}.key"}


def starter(gateway: str, broker: Table) -> str:
    """A whole configuration, without sensors."""
    return STARTER.format(gateway=json.dumps(gateway), broker=_written(broker))


def with_broker(text: str, gateway: str, broker: Table) -> str:
    """The configuration `text` with this [broker] table and all else as it was.

    Raise BadConfig where it is of another gateway, or written so that a person must put the table in.
    """
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        raise BadConfig(f"not TOML: {cause}") from cause
    if before.get("gateway") != gateway:
        raise BadConfig(f"gateway: it is the configuration of {before.get('gateway')!r}, not of {gateway!r}")
    if before.get("broker") == broker:
        return text
    after = _replaced(text.splitlines(keepends=True), _written(broker))
    if _parsed(after) != {**before, "broker": broker}:
        raise BadConfig(f"[broker] is not in its usual form; put this there yourself: {_written(broker)!r}")
    return after


def _replaced(lines: list[str], table: str) -> str:
    heads = [n for n, line in enumerate(lines) if line.strip() == "[broker]"]
    if not heads:
        return f"{''.join(lines).rstrip()}\n\n{table}"
    start = heads[0]
    end = next((n for n in range(start + 1, len(lines)) if lines[n].startswith("[")), len(lines))
    while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#"):
        end -= 1  # what stands before the next table is said about that one
    return "".join([*lines[:start], table, *lines[end:]])


def _written(broker: Table) -> str:
    # A JSON string is a TOML basic string.
    return "".join(["[broker]\n", *(f"{key} = {json.dumps(value)}\n" for key, value in broker.items())])


def _parsed(text: str) -> object:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
