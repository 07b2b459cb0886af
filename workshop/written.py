"""How values stand in the TOML that we write."""

import json
from collections.abc import Iterable, Mapping

import msgspec

from hoflicht.catalogue import Lamp


def value(told: object) -> str:
    """A value as TOML has it; a table becomes an inline table."""
    if isinstance(told, bool | str):
        return json.dumps(told, ensure_ascii=False).replace("\x7f", "\\u007f")  # a JSON string is a TOML basic string but for DEL
    if isinstance(told, int | float):
        return f"{told:g}" if float(told).is_integer() else repr(told)
    if isinstance(told, Mapping):
        return "{ " + ", ".join(f"{key(str(name))} = {value(one)}" for name, one in told.items()) + " }" if told else "{}"
    if isinstance(told, Iterable):
        return "[" + ", ".join(value(one) for one in told) + "]"
    raise TypeError(f"no TOML for {type(told).__name__}")


def key(name: str) -> str:
    """A key, in quotes where it needs them."""
    is_bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if is_bare else value(name)


def lamp(name: str, told: Lamp) -> str:
    """One lamp's line of [lamps], without what is the default."""
    usual = msgspec.structs.asdict(Lamp(street="", lat=0, lon=0))
    own = {key: one for key, one in msgspec.structs.asdict(told).items() if key in ("street", "lat", "lon") or one != usual[key]}
    return f"{key(name)} = {value(own)}\n"
