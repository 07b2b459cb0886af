"""`hoflicht restore ARCHIVE CONFIG`: on an empty machine, what a back-up has."""

import argparse
import hashlib
import os
import pwd
import shutil
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from hoflicht import atomic
from hoflicht.config import beside
from hoflicht.errors import BadConfig, BadPayload, Refused, Unavailable
from store.snapshot import Piece
from workshop import archive
from workshop.archive import Checksums
from workshop.backup import INFLUXDB, OF_SQLITE, BackupConfig, add_config, load_backup, server

DONE, FAILED = 0, 1
NAMED = 10  # so many files are named where some are in the way


def main(argv: list[str]) -> int:
    """Run `hoflicht restore ARCHIVE CONFIG`; 1 where it cannot be, and then nothing was changed but what stands in the output."""
    parser = argparse.ArgumentParser(
        "hoflicht restore", description="Put back what hoflicht backup has copied; ingest and api do not run meanwhile."
    )
    parser.add_argument("archive", metavar="ARCHIVE", type=Path, help="a file that hoflicht backup has written")
    add_config(parser)
    parser.add_argument("--only", metavar="PART", action="append", help="a name from [folders], or influxdb; else all of them")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace files that are there and differ (never readings in InfluxDB)"
    )
    asked = parser.parse_args(argv)
    config = load_backup(asked.config)
    try:
        restore(asked.archive, config, asked.config, _chosen(config, asked.only), asked.overwrite)
    except (BadPayload, Unavailable, Refused) as cause:
        sys.stderr.write(f"hoflicht restore: {cause}\n")
        return FAILED
    return DONE


def restore(path: Path, config: BackupConfig, config_path: Path, parts: Sequence[str], overwrite: bool) -> None:
    """Put `parts` back, after the archive was read once to its end and every target was looked at."""
    sums = archive.check(path)
    roots = {part: beside(config_path, config.folders[part]) for part in parts if part != INFLUXDB}
    targets = dict(_targets(sums, roots))
    if not overwrite:
        _refuse_others(sums, targets)
    store = config.store if INFLUXDB in parts else None
    if store is not None:
        server(store, config_path).empty()
    with tarfile.open(path, "r:") as tar:
        for name, target in targets.items():
            if not _is_there(target, sums.files[name]):
                _put(tar, tar.getmember(name), target)
        sys.stdout.writelines(f"restored {part} to {root}\n" for part, root in roots.items())
        if store is not None:
            server(store, config_path).give_back(_pieces(tar))
            sys.stdout.write(f"restored {INFLUXDB}; start it again, so that it goes by what it was given\n")


def _chosen(config: BackupConfig, only: Sequence[str] | None) -> list[str]:
    known = [*config.folders, *([INFLUXDB] if config.store is not None else [])]
    if unknown := set(only or []) - set(known):
        raise BadConfig(f"--only {', '.join(sorted(unknown))}: there are {', '.join(known)}")
    return [part for part in known if only is None or part in only]


def _targets(sums: Checksums, roots: dict[str, Path]) -> Iterator[tuple[str, Path]]:
    """Where each member goes; folders come before what is in them."""
    for name in sums.files:
        part, *inside = PurePosixPath(name).parts
        if ".." in inside:
            raise BadPayload(f"{name}: leads out of its folder")
        if part in roots:
            yield name, roots[part].joinpath(*inside)


def _refuse_others(sums: Checksums, targets: dict[str, Path]) -> None:
    """Raise Refused where a file is in the way; one with the same content is not, so that a run that was cut off is repeated."""
    found = [str(path) for name, path in targets.items() if path.is_file() and not _is_there(path, sums.files[name])]
    if found:
        raise Refused(
            f"{len(found)} files are there already and differ ({', '.join(found[:NAMED])}); move them away, or --overwrite"
        )


def _is_there(path: Path, sum_of_it: str) -> bool:
    """Whether the file has that content already. It is left alone then: a single file of a container may not be replaced."""
    if not sum_of_it or not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sum_of_it


def _put(tar: tarfile.TarFile, info: tarfile.TarInfo, target: Path) -> None:
    try:
        if info.isdir():
            target.mkdir(parents=True, exist_ok=True)
            _as_it_was(info, target)
        else:
            _put_file(tar, info, target)
    except OSError as cause:
        raise Unavailable(f"{target}: {cause.strerror or cause}") from cause


def _put_file(tar: tarfile.TarFile, info: tarfile.TarInfo, target: Path) -> None:
    unfinished = target.with_name(f".{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, atomic.PRIVATE), "wb") as file:  # noqa: PTH123
        shutil.copyfileobj(archive.content_of(tar, info), file)
        _as_it_was(info, unfinished)
        os.fsync(file.fileno())
    for ending in OF_SQLITE:  # of a file that was there: SQLite would take them for part of the new one
        target.with_name(target.name + ending).unlink(missing_ok=True)
    unfinished.replace(target)
    atomic.sync(target.parent)


def _as_it_was(info: tarfile.TarInfo, path: Path) -> None:
    """Its mode, and its owner where we may give that: by name, for the number may be another one's here."""
    path.chmod(info.mode)
    if os.geteuid() == 0:
        try:
            owner = pwd.getpwnam(info.uname)
            os.chown(path, owner.pw_uid, owner.pw_gid)
        except KeyError:
            os.chown(path, info.uid, info.gid)


def _pieces(tar: tarfile.TarFile) -> Iterator[Piece]:
    for info in tar:
        part, _, name = info.name.partition("/")
        if part == INFLUXDB and info.isfile():
            yield Piece(name, archive.content_of(tar, info), info.size)
