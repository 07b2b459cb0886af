"""Staff's keys: who may do what beyond reading.

A key is 256 random bits. The file holds its SHA-256, and needs no slow hash: those make guessing a word that a person chose
expensive, while 2**256 keys are out of reach whatever one guess costs; a slow one would only let strangers burn our time.
The api only ever reads the file; `hoflicht keys` writes it.
"""

import contextlib
import datetime as dt
import enum
import hashlib
import hmac
import os
import secrets
import stat
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from api.staff.lock import locked
from hoflicht import atomic
from hoflicht.config import Strict
from hoflicht.errors import BadConfig

BITS = 256
ID_BYTES = 4
PREFIX = "hoflicht"  # lets a scanner for leaked secrets know one
MAX_TOKEN = 100  # characters; a whole key has 61
MAX_KEYS = 100  # in one file, which a person looks through


class Scope(enum.StrEnum):
    """What a key is good for."""

    READ = "staff:read"  # see what staff have said
    HOLD = "yards:hold"  # hold a yard, let in again
    NOTICE = "yards:notice"  # put up a yard's notice, take it down
    CONTROL = "lamps:control"  # override lamps, change their programs
    ACKNOWLEDGE = "alarms:acknowledge"  # say that a fault has been seen


class Key(Strict, frozen=True):
    """What is kept of a key."""

    id: str
    name: str  # who has it: an office or a system, no person
    scopes: tuple[Scope, ...]
    digest: str  # SHA-256, hexadecimal
    made: dt.datetime
    expires: dt.datetime


class Ring(Strict, frozen=True):
    """All keys, as the file has them."""

    keys: tuple[Key, ...] = ()


def make(name: str, scopes: Sequence[Scope], now: dt.datetime, expires: dt.datetime) -> tuple[Key, str]:
    """A new key, and the token that its owner gets to see once."""
    named = secrets.token_hex(ID_BYTES)
    token = f"{PREFIX}_{named}_{secrets.token_urlsafe(BITS // 8)}"
    return Key(id=named, name=name, scopes=tuple(scopes), digest=_digest(token), made=now, expires=expires), token


def find(token: str, keys: Iterable[Key], now: dt.datetime) -> Key | None:
    """The key that `token` is. How long it looks does not tell how near a guess was, nor which key it was near."""
    digest = _digest(token[:MAX_TOKEN])
    found = [key for key in keys if hmac.compare_digest(key.digest, digest)]
    return next((key for key in found if now < key.expires), None)


class KeyFile:
    """The keys in the file at `path`, newly read once it has changed; no file: no keys."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: tuple[tuple[int, ...], tuple[Key, ...]] | None = None

    def read(self) -> tuple[Key, ...]:
        """All of them, expired ones too; raise BadConfig where the file is not ours alone to write, or no file of keys."""
        with self._lock:
            try:
                version = _version(self._path)
            except FileNotFoundError:
                return ()
            except OSError as cause:
                raise BadConfig(f"{self._path}: {cause.strerror}") from cause
            if self._known is None or self._known[0] != version:
                self._known = version, _read(self._path)
            return self._known[1]

    @contextlib.contextmanager
    def changing(self) -> Iterator[list[Key]]:
        """The keys, to be changed in this block; on disk when it has ended, untouched where it raised."""
        with locked(self._path.parent):
            keys = list(self.read())
            yield keys
            ring = msgspec.json.format(msgspec.json.encode(Ring(keys=tuple(keys))))
            atomic.write(self._path, ring + b"\n", atomic.PRIVATE)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _version(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_ino, found.st_ctime_ns, found.st_size


def _read(path: Path) -> tuple[Key, ...]:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IWGRP | stat.S_IWOTH):  # whoever writes there makes himself a key
                raise BadConfig(f"{path}: others may write to it; chmod 600")
            return msgspec.json.decode(file.read(), type=Ring).keys
    except (OSError, msgspec.DecodeError) as cause:
        raise BadConfig(f"{path}: no file of keys ({cause}); hoflicht keys makes one") from cause
