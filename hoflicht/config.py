"""load(path, shape): TOML in, frozen struct out, and a message that names file, line, key and what is allowed."""

import os
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hoflicht.complaint import Complaint, mismatches, unknown
from hoflicht.errors import BadConfig
from hoflicht.positions import line_of, positions

T = TypeVar("T")
MAX_PORT = 65_535
MAX_SECRET = 16 * 1024  # characters; a key has 300, a token 90: what is larger is another file
OTHERS = 0o027  # of a file's mode: what its group may change, and what everybody may do
# Where container engines put secrets, for one container's eyes and with modes of their own (Docker, Podman: 0444).
ENGINES = Path("/run/secrets")


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parent of every piece of configuration: frozen, and a misspelt key is an error."""


def content(_: object) -> Iterable[Complaint]:
    """The judge of a configuration that is right where its types are."""
    return ()


def load(path: Path, shape: type[T], judge: Callable[[T], Iterable[Complaint]] = content) -> T:
    """Read the TOML file at `path` as `shape`, a Strict struct; raise BadConfig with one line that a person can act on.

    `judge` finds what types do not tell.
    """
    return parse(read(path), path, shape, judge)


def read(path: Path) -> str:
    """The text of the file at `path`; raise BadConfig where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as cause:
        raise BadConfig(f"{path}: cannot be read ({cause.strerror})") from cause
    except UnicodeDecodeError as cause:
        raise BadConfig(f"{path}: not TOML: {cause}") from cause


def parse(text: str, path: Path, shape: type[T], judge: Callable[[T], Iterable[Complaint]] = content) -> T:
    """As `load`, of a text that stands, or might stand, at `path`."""
    raw = tables(text, path)
    try:
        config = msgspec.convert(raw, shape)
    except msgspec.ValidationError as cause:
        raise BadConfig(_said(next(mismatches(raw, shape)), text, path)) from cause
    for complaint in judge(config):
        raise BadConfig(_said(complaint, text, path))
    return config


def complaints(raw: dict[str, Any], shape: type[T], judge: Callable[[T], Iterable[Complaint]] = content) -> list[Complaint]:
    """All that `parse` would complain of in what TOML has given, not the first alone."""
    return list(mismatches(raw, shape)) or list(judge(msgspec.convert(raw, shape)))


def tables(text: str, path: Path) -> dict[str, Any]:
    """The TOML of `text`; raise BadConfig where it is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        raise BadConfig(f"{path}: not TOML: {cause}") from cause


def _said(complaint: Complaint, text: str, path: Path) -> str:
    line = line_of(complaint.at, positions(text))
    return f"{path}: line {line}: {complaint.text}" if line else f"{path}: {complaint.text}"


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
    raise BadConfig(f"{what} {unknown(name, known)}")
