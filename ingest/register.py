"""Whom the authority has invited, what it has signed, what of that is revoked. One SQLite file; several processes may use it."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from hoflicht.errors import Refused
from store.file import File

APPLICATION_ID = 0x686F6661  # "hofa" in the file's header: this file is ours
MAX_TRIES = 5  # wrong secrets for one invitation: a person pastes wrong twice, a program goes on
# A secret is 128 random bits, so its plain SHA-256 tells nobody what it was.
SCHEMA = """
CREATE TABLE invitations (
    gateway TEXT PRIMARY KEY, secret BLOB NOT NULL, expires_ms INTEGER NOT NULL, wrong INTEGER NOT NULL DEFAULT 0, used_by BLOB
);
CREATE TABLE certificates (
    serial TEXT PRIMARY KEY, gateway TEXT NOT NULL, key BLOB NOT NULL, ends_ms INTEGER NOT NULL, pem TEXT NOT NULL,
    revoked_ms INTEGER
);
CREATE TABLE brokers (folder TEXT PRIMARY KEY);
"""
WRONG_CODE = "the code is wrong, used, or has run out; ask the operator for a new one (hoflicht authority invite)"


class Signed(NamedTuple):
    """A certificate that was given out; `key` stands for its public key, `revoked_ms` is None while it counts."""

    serial: int
    gateway: str
    key: bytes
    ends_ms: int
    pem: str
    revoked_ms: int | None


class Register:
    """The file at `path`, which is made when there is none; from one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._file = File(path, APPLICATION_ID, SCHEMA)
        self._connection = self._file.connect()

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """All that the block does is on disk after it, or nothing of it."""
        with self._file.transaction(self._connection):
            yield

    def invite(self, gateway: str, secret: str, expires_ms: int) -> None:
        """Note an invitation; an older one of the same gateway ends."""
        with self.change():
            self._connection.execute(
                "INSERT OR REPLACE INTO invitations (gateway, secret, expires_ms) VALUES (?, ?, ?)",
                (gateway, _hashed(secret), expires_ms),
            )

    def check(self, gateway: str, secret: str, key: bytes, now_ms: int) -> None:
        """Return where `gateway` is invited with this `secret`; raise Refused where it is not, counting the try.

        A code that was used stays good for the same key: an answer that was lost on the way can be asked for again.
        """
        found = self._connection.execute("SELECT * FROM invitations WHERE gateway = ?", (gateway,)).fetchone()
        _, wanted, expires_ms, wrong, used_by = found or (gateway, b"", 0, 0, None)
        if now_ms >= expires_ms or wrong >= MAX_TRIES:
            raise Refused(WRONG_CODE)
        if not hmac.compare_digest(wanted, _hashed(secret)):
            with self.change():
                self._connection.execute("UPDATE invitations SET wrong = wrong + 1 WHERE gateway = ?", (gateway,))
            raise Refused(WRONG_CODE)
        if used_by not in (None, key):
            raise Refused(WRONG_CODE)

    def use(self, gateway: str, secret: str, key: bytes) -> None:
        """Note that the invitation served this key; inside `change`; raise Refused where it was taken back since `check`."""
        used = self._connection.execute(
            "UPDATE invitations SET used_by = ? WHERE gateway = ? AND secret = ?", (key, gateway, _hashed(secret))
        )
        if not used.rowcount:
            raise Refused(WRONG_CODE)

    def add(self, one: Signed) -> None:
        """Note a certificate; inside `change`."""
        row = (f"{one.serial:x}", *one[1:])
        self._connection.execute("INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?)", row)

    def revoke(self, gateway: str, now_ms: int) -> None:
        """Whatever `gateway` has counts no more, its invitation included."""
        with self.change():
            self._connection.execute(
                "UPDATE certificates SET revoked_ms = ? WHERE gateway = ? AND revoked_ms IS NULL", (now_ms, gateway)
            )
            self._connection.execute("DELETE FROM invitations WHERE gateway = ?", (gateway,))

    def signed(self) -> list[Signed]:
        """All certificates, by gateway; of one gateway the one that ends last comes last."""
        with self._file.translated():
            rows = self._connection.execute("SELECT * FROM certificates ORDER BY gateway, ends_ms, rowid").fetchall()
        return [Signed(int(serial, 16), *rest) for serial, *rest in rows]

    def brokers(self) -> list[str]:
        """The folders from which brokers read the list of what is revoked."""
        with self._file.translated():
            return [folder for (folder,) in self._connection.execute("SELECT folder FROM brokers ORDER BY folder")]

    def add_broker(self, folder: str) -> None:
        """Note the folder of a broker."""
        with self.change():
            self._connection.execute("INSERT OR IGNORE INTO brokers VALUES (?)", (folder,))


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
