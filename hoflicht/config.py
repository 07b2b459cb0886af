"""load(path, shape): TOML in, frozen struct out, and a message that names file, key and what is allowed."""

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from hoflicht.errors import BadConfig

T = TypeVar("T")
MAX_PORT = 65_535
MAX_SECRET = 16 * 1024  # characters; a key has 300, a token 90: what is larger is another file
OTHERS = 0o027  # of a file's mode: what its group may change, and what everybody may do
# Where container engines put secrets, for one container's eyes and with modes of their own (Docker, Podman: 0444).
ENGINES = Path("/run/secrets")


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parent of every piece of configuration: frozen, and a misspelt key is an error."""


def load(path: Path, shape: type[T]) -> T:
    """Read the TOML file at `path` as `shape`, a Strict struct; raise BadConfig with one line that a person can act on."""
    return parse(read(path), path, shape)


def read(path: Path) -> str:
    """The text of the file at `path`; raise BadConfig where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as cause:
        raise BadConfig(f"{path}: cannot be read ({cause.strerror})") from cause
    except UnicodeDecodeError as cause:
        raise BadConfig(f"{path}: not TOML: {cause}") from cause


def parse(text: str, path: Path, shape: type[T]) -> T:
    """As `load`, of a text that stands, or might stand, at `path`."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        raise BadConfig(f"{path}: not TOML: {cause}") from cause
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError as cause:
        raise BadConfig(f"{path}: {_explain(str(cause), raw, shape)}") from cause


def beside(config: Path, named: str) -> Path:
    """The file that a config names: relative to the folder of the config, wherever the program was started."""
    return config.parent / named


def secret(path: str, what: str) -> str:
    """Read a secret from the file at `path`; raise BadConfig where there is none, or where everybody may read it."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            _keep_private(file.fileno(), path, what)
            content = file.read(MAX_SECRET + 1)
    except (OSError, UnicodeDecodeError) as cause:
        # Not the cause itself: a decoder's words quote what it could not read.
        raise BadConfig(f"{what}: the file {path} cannot be read ({getattr(cause, 'strerror', '') or 'it is no text'})") from None
    if len(content) > MAX_SECRET:
        raise BadConfig(f"{what}: the file {path} is too large for a secret")
    return content.strip()


def _keep_private(file: int, path: str, what: str) -> None:
    """Owner and group, nobody else: by the group systemd's units read what root has written."""
    mode = os.fstat(file).st_mode & 0o777
    if mode & OTHERS and ENGINES not in Path(path).resolve().parents:
        raise BadConfig(f"{what}: the file {path} is open to others (mode {mode:o}); chmod 640 {path}, or 600")


def address(what: str, told: str, example: str) -> tuple[str, int]:
    """Read "host:port"; an IPv6 host stands in brackets, which are left out. Raise BadConfig, which begins with `what`."""
    host, _, port = told.rpartition(":")
    if not host or not port.isdecimal() or int(port) > MAX_PORT:
        raise BadConfig(f'{what} "{told}": expected host:port, an example: "{example}"')
    return host.removeprefix("[").removesuffix("]"), int(port)


def choose(what: str, name: str, known: dict[str, T]) -> T:
    """Look `name` up in a registry; raise BadConfig that lists what is known."""
    if name in known:
        return known[name]
    raise BadConfig(f"{what} {name!r} is unknown; known: {', '.join(sorted(known)) or 'none'}{_nearest(name, known)}")


def _nearest(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _explain(message: str, raw: Any, shape: Any) -> str:
    """Turn msgspec's "… - at `$.ports[...].path`" into "[ports.air] …", with the allowed keys where one is unknown."""
    text, _, where = message.partition(" - at `")
    keys: list[str] = []
    for step in re.findall(r"\[\.\.\.\]|\[\d+\]|[^.\[\]`$]+", where):
        key, raw, shape = _down(step, raw, shape)
        keys.append(key)
    place = f"[{'.'.join(keys)}] " if keys else ""
    unknown = re.search(r"unknown field `(.+)`", text)
    if unknown:
        allowed = [field.encode_name for field in msgspec.structs.fields(shape)]
        return f"{place}unknown key {unknown[1]!r}; allowed: {', '.join(allowed)}{_nearest(unknown[1], allowed)}"
    missing = re.search(r"missing required field `(.+)`", text)
    if missing:
        return f"{place}the key {missing[1]!r} is missing"
    return f"{place}{text}"


def _down(step: str, raw: Any, shape: Any) -> tuple[str, Any, Any]:
    """Go one step of msgspec's path down; it does not name the key of a table, so look for the one that fails."""
    if step == "[...]":
        inner = get_args(shape)[-1]
        key = next((key for key, value in raw.items() if not _converts(value, inner)), "?")
        return key, raw.get(key), inner
    if step.startswith("["):
        return step.strip("[]"), raw[int(step.strip("[]"))], get_args(shape)[0]
    inner = next(field.type for field in msgspec.structs.fields(shape) if field.encode_name == step)
    optional = [part for part in get_args(inner) if isinstance(part, type) and issubclass(part, msgspec.Struct)]
    is_table = get_origin(inner) in (dict, tuple, list)
    return step, raw.get(step), optional[0] if optional and not is_table else inner


def _converts(value: Any, shape: Any) -> bool:
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError:
        return False
    return True
