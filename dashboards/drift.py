"""What differs between what we want and what a server has."""

from collections.abc import Callable
from typing import Any

import msgspec

from hoflicht.errors import BadConfig

MAX_SHOWN = 60  # characters of a value: enough to know which query it is
# A server numbers what it saves, and newer ones migrate a board to their own schema.
ITS_OWN = {"id", "version", "schemaVersion", "pluginVersion"}


JsonObject = dict[str, Any]


class Part(msgspec.Struct, frozen=True):
    """One thing on the server: what it is there, what it should be, and how to make it so."""

    name: str
    found: JsonObject | None
    wanted: JsonObject
    save: Callable[[], object]


def kept_in_a_file(name: str) -> None:
    """Instead of a `save`: what a file of the server has made, its API cannot change."""
    raise BadConfig(f"{name} is from a file of that Grafana; files and push do not go together, use `hoflicht dashboards build`")


def differences(found: Any, wanted: Any, where: str = "") -> list[str]:
    """One line per difference, as in "panels[3].title: 'A' on the server, 'B' here".

    What the server has beside is not looked at, for it adds its defaults; lists must be of the same length.
    """
    if isinstance(wanted, dict) and isinstance(found, dict):
        keys = [key for key in wanted if key not in ITS_OWN or where]
        return [line for key in keys for line in differences(found.get(key), wanted[key], f"{where}.{key}".lstrip("."))]
    if isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            return [f"{where}: {len(found)} on the server, {len(wanted)} here"]
        pairs = enumerate(zip(found, wanted, strict=True))
        return [line for number, (theirs, ours) in pairs for line in differences(theirs, ours, f"{where}[{number}]")]
    return [] if found == wanted else [f"{where}: {_short(found)} on the server, {_short(wanted)} here"]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
