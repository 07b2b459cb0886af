"""load(path, shape): TOML in, frozen struct out, and a message that names file, key and what is allowed."""

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from hoflicht.errors import BadConfig

T = TypeVar("T")


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parent of every piece of configuration: frozen, and a misspelt key is an error."""


def load(path: Path, shape: type[T]) -> T:
    """Read the TOML file at `path` as `shape`, a Strict struct; raise BadConfig with one line that a person can act on."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as cause:
        raise BadConfig(f"{path}: cannot be read ({cause.strerror})") from cause
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise BadConfig(f"{path}: not TOML: {cause}") from cause
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError as cause:
        raise BadConfig(f"{path}: {_explain(str(cause), shape)}") from cause


def beside(config: Path, named: str) -> Path:
    """The file that a config names: relative to the folder of the config, wherever the program was started."""
    return config.parent / named


def secret(path: str, what: str) -> str:
    """Read a secret from the file at `path`; raise BadConfig where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as cause:
        raise BadConfig(f"{what}: the file {path} cannot be read ({cause})") from cause


def choose(what: str, name: str, known: dict[str, T]) -> T:
    """Look `name` up in a registry; raise BadConfig that lists what is known."""
    if name in known:
        return known[name]
    raise BadConfig(f"{what} {name!r} is unknown; known: {', '.join(sorted(known))}{_nearest(name, known)}")


def _nearest(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _explain(message: str, shape: type[Any]) -> str:
    """Turn msgspec's "… - at `$.ports[...].path`" into "[ports.*] path: …", with the allowed keys where one is unknown."""
    text, _, where = message.partition(" - at `")
    parts = [part for part in re.split(r"[.\[\]]+", where.rstrip("`").removeprefix("$")) if part]
    key = ".".join("*" if part == "..." else part for part in parts)
    unknown = re.search(r"unknown field `(.+)`", text)
    if unknown:
        allowed = _fields_at(shape, parts)
        place = f"[{key}] " if key else ""
        return f"{place}unknown key {unknown[1]!r}; allowed: {', '.join(allowed)}{_nearest(unknown[1], allowed)}"
    missing = re.search(r"missing required field `(.+)`", text)
    if missing:
        return f"{f'[{key}] ' if key else ''}the key {missing[1]!r} is missing"
    return f"{key}: {text}" if key else text


def _fields_at(shape: Any, parts: list[str]) -> list[str]:
    for part in parts:
        if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
            shape = {field.encode_name: field.type for field in msgspec.structs.fields(shape)}.get(part, Any)
        else:
            shape = (get_args(shape) or (Any,))[-1]
        options = [t for t in get_args(shape) if isinstance(t, type) and issubclass(t, msgspec.Struct)]
        if options and not (hasattr(shape, "__origin__") and shape.__origin__ in (dict, list, tuple)):
            shape = options[0]  # "Struct | None"
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        return [field.encode_name for field in msgspec.structs.fields(shape)]
    return []
