"""A back-up is one tar file: what was copied, and as its last member a list of checksums, without which it is none.

Members are `<part>/<path>` of a folder, `<part>` of a single file. Any tar reads it, should there be nothing else.
"""

import fcntl
import hashlib
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from hoflicht import __version__, atomic
from hoflicht.errors import BadConfig, BadPayload, Unavailable

LIST = "checksums.json"
MAX_LIST = 64 * 1024 * 1024  # bytes of the list: half a million files
UNFINISHED = "unfinished.tar"  # always this name, so that runs that were cut off do not pile up
CHUNK = 1024 * 1024  # bytes
SQLITE = b"SQLite format 3\0"  # how such a file begins (sqlite.org/fileformat.html)


class Checksums(msgspec.Struct, frozen=True):
    """The last member: SHA-256 of all others, by name."""

    version: str  # of hoflicht
    files: dict[str, str]


class Archive:
    """An archive that is being written; `scratch` is a folder with room for the largest single file."""

    def __init__(self, tar: tarfile.TarFile, scratch: Path) -> None:
        self._tar = tar
        self._scratch = scratch
        self._sums: dict[str, str] = {}

    def add_stream(self, name: str, content: IO[bytes]) -> None:
        """Add what comes out of `content` until it ends."""
        with _own_errors(), tempfile.TemporaryFile(dir=self._scratch) as whole:
            shutil.copyfileobj(content, whole)
            self._add(_info(name, whole.tell()), whole)

    def add_file(self, name: str, path: Path) -> None:
        """Add the file at `path` as it is at one moment, if it is still there; a SQLite file may be in use."""
        with _own_errors(), suppress(FileNotFoundError), path.open("rb") as file:
            info = self._tar.gettarinfo(arcname=name, fileobj=file)
            if file.read(len(SQLITE)) == SQLITE:
                self._add_database(info, path)
            else:
                self._add(info, file)

    def add_folder(self, name: str, path: Path) -> None:
        """Add the name, owner and mode of a folder."""
        with _own_errors():
            self._tar.addfile(self._tar.gettarinfo(path, name))
        self._sums[name] = ""

    def close(self) -> None:
        """Write the list: from now on it is an archive."""
        content = msgspec.json.encode(Checksums(__version__, self._sums))
        with tempfile.TemporaryFile(dir=self._scratch) as file:
            file.write(content)
            self._add(_info(LIST, len(content)), file)

    def _add(self, info: tarfile.TarInfo, file: IO[bytes]) -> None:
        file.seek(0)
        read = Summed(file)
        self._tar.addfile(info, read)
        self._sums[info.name] = read.sum.hexdigest()

    def _add_database(self, info: tarfile.TarInfo, path: Path) -> None:
        """By SQLite itself, which knows what lies in its log and is not in the file yet."""
        with tempfile.NamedTemporaryFile(dir=self._scratch) as whole:
            there = f"{path.absolute().as_uri()}?mode=rw"  # it is not made where it is gone
            with closing(sqlite3.connect(there, uri=True)) as source, closing(sqlite3.connect(whole.name)) as copy:
                source.backup(copy)
            info.size = whole.seek(0, os.SEEK_END)
            self._add(info, whole)


class Summed:
    """A file that adds up what is read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.sum = hashlib.sha256()
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """As of any file."""
        content = self._file.read(size)
        self.sum.update(content)
        return content


@contextmanager
def writing(path: Path) -> Iterator[Archive]:
    """An archive that is at `path` after the block, whole and on disk; nothing is there where the block fails."""
    unfinished = path.with_name(UNFINISHED)
    with _own_errors(), open(os.open(unfinished, os.O_RDWR | os.O_CREAT, atomic.PRIVATE), "wb") as file:  # noqa: PTH123
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate()
        with tarfile.open(fileobj=file, mode="w", dereference=True) as tar:
            archive = Archive(tar, path.parent)
            yield archive
            archive.close()
        file.flush()
        os.fsync(file.fileno())
        unfinished.rename(path)
        atomic.sync(path.parent)


def check(path: Path) -> Checksums:
    """Read an archive from end to end; raise BadPayload where a byte is not as it was written."""
    try:
        with tarfile.open(path, "r:") as tar:
            found = {info.name: _sum(tar, info) for info in tar}
            if LIST not in found:
                raise BadPayload(f"{path}: it ends before its end: no whole back-up")
            listed = msgspec.json.decode(content_of(tar, tar.getmember(LIST)).read(MAX_LIST), type=Checksums)
    except (tarfile.TarError, msgspec.DecodeError) as cause:
        raise BadPayload(f"{path}: no back-up of ours, or a damaged one ({cause})") from cause
    except OSError as cause:
        raise BadConfig(f"{path}: cannot be read ({cause.strerror or cause})") from cause
    del found[LIST]
    if wrong := {name for name in {*found, *listed.files} if found.get(name) != listed.files.get(name)}:
        raise BadPayload(f"{path}: damaged: {', '.join(sorted(wrong)[:5])}")
    return listed


def content_of(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    """The bytes of a member that is a file."""
    content = tar.extractfile(info)
    if content is None:
        raise BadPayload(f"{info.name}: neither a file nor a folder")
    return content


def _sum(tar: tarfile.TarFile, info: tarfile.TarInfo) -> str:
    if info.isdir():
        return ""
    read = Summed(content_of(tar, info))
    while read.read(CHUNK):
        pass
    return read.sum.hexdigest()


def _info(name: str, size: int) -> tarfile.TarInfo:
    """What is no copy of a file: only its owner may read it."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, atomic.PRIVATE
    return info


@contextmanager
def _own_errors() -> Iterator[None]:
    """Disk full, a file that may not be read, a database that stays locked: another time it may go."""
    try:
        yield
    except (OSError, sqlite3.Error) as cause:
        raise Unavailable(f"the back-up cannot be written: {cause}") from cause
