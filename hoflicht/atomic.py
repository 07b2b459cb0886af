"""A file that is there whole, or as it was before: nobody finds half a key after a power cut."""

import os
import tempfile
from pathlib import Path

from hoflicht.errors import BadConfig

PRIVATE, PUBLIC = 0o600, 0o644


def write(path: Path, content: bytes, mode: int) -> None:
    """Put `content` at `path`, on disk when this returns; raise BadConfig where the folder does not let us.

    The file belongs to whom its folder belongs: what root writes for a service, the service can read.
    """
    try:
        _replace(path, content, mode)
    except OSError as cause:
        raise BadConfig(f"{path}: cannot be written ({cause.strerror}); is the folder there, and yours?") from cause


def _replace(path: Path, content: bytes, mode: int) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # 0600 before there is anything in it
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            hand_over(file.fileno(), path.parent)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync(path.parent)


def hand_over(file: int, folder: Path) -> None:
    """Give an open file to whom the folder belongs: what root makes there, the service must be able to use."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(file, owner.st_uid, owner.st_gid)


def sync(folder: Path) -> None:
    """Put the names in `folder` on disk: without it a power cut may undo a rename (fsync(2))."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
