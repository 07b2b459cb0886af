"""`hoflicht backup CONFIG`: all that a server cannot make anew, in one file, while it goes on working."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from hoflicht.clock import Clock, SystemClock
from hoflicht.config import Strict, beside, load
from hoflicht.errors import BadConfig, Refused, Unavailable
from hoflicht.instants import moment
from store.influx import parse
from store.readings import SQLITE, StoreConfig, token_of
from store.snapshot import Snapshot
from workshop import archive
from workshop.archive import Archive

DONE, FAILED = 0, 1
INFLUXDB = "influxdb"  # the part that is no folder
# The CA's key can make anybody a gateway: it lies in a safe with a copy elsewhere (docs/operations.md), not in every back-up.
LEFT_OUT = ("ca.key",)
# What SQLite keeps beside its files; a copy that it makes has all of it within (sqlite.org/tempfiles.html).
OF_SQLITE = ("-wal", "-shm", "-journal")

Part = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{0,30}$")]
Keep = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class BackupConfig(Strict, frozen=True):
    """The file that `hoflicht backup` and `hoflicht restore` read. Relative paths start at its folder."""

    folder: str  # where the back-ups go; none of [folders] holds it
    folders: dict[Part, str]  # folders, or single files, by a name of your choice
    keep: Keep = 14
    store: StoreConfig | None = None  # an InfluxDB; a SQLite file lies in one of the folders


def main(argv: list[str]) -> int:
    """Run `hoflicht backup CONFIG`."""
    parser = argparse.ArgumentParser(
        "hoflicht backup", description="Copy all that a server cannot make anew into one file, while it goes on working."
    )
    add_config(parser)
    path: Path = parser.parse_args(argv).config
    try:
        made = back_up(load_backup(path), path, SystemClock())
    except (Unavailable, Refused) as cause:
        sys.stderr.write(f"hoflicht backup: {cause}\n")
        return FAILED
    sys.stdout.write(f"wrote {made} ({made.stat().st_size} bytes); without {', '.join(LEFT_OUT)}, which belongs into a safe\n")
    return DONE


def add_config(parser: argparse.ArgumentParser) -> None:
    """The argument that both commands have."""
    usual = Path("/etc/hoflicht/backup.toml")
    parser.add_argument("config", metavar="CONFIG", type=Path, nargs="?", default=usual, help="a TOML file (default: %(default)s)")


def load_backup(path: Path) -> BackupConfig:
    """Read the config at `path`; raise BadConfig where it asks for what cannot be."""
    config = load(path, BackupConfig)
    if config.store is not None and config.store.url.startswith(SQLITE):
        raise BadConfig(f"{path}: [store] is for InfluxDB; a SQLite file lies in one of the [folders]")
    if config.store is not None:
        parse(config.store.url)
    if INFLUXDB in config.folders:
        raise BadConfig(f"{path}: [folders] {INFLUXDB}: another name, please; this one is taken")
    return config


def back_up(config: BackupConfig, path: Path, clock: Clock) -> Path:
    """Write a back-up and return where it is; only then older ones go. Raise Unavailable or Refused where it cannot be made."""
    folder = beside(path, config.folder)
    at = moment(clock.now_ms())
    made = folder / f"hoflicht-{at:%Y%m%dT%H%M%SZ}.tar"
    with archive.writing(made) as copy:
        for part, named in config.folders.items():
            for name, file in _below(part, beside(path, named), folder):
                (copy.add_folder if file.is_dir() else copy.add_file)(name, file)
        if config.store is not None:
            _add_influxdb(copy, config.store, path)
    for old in sorted(folder.glob("hoflicht-*Z.tar"))[: -config.keep]:
        old.unlink()
    return made


def _below(part: str, root: Path, without: Path) -> Iterator[tuple[str, Path]]:
    """All files and folders of a part, each with its name in the archive; links and sockets are neither."""
    if not root.exists():
        raise BadConfig(f"[folders] {part}: {root} is not there")
    yield part, root
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not (Path(folder) / name).samefile(without))
        for name in [*folders, *sorted(files)]:
            path = Path(folder) / name
            if (
                name not in LEFT_OUT
                and not name.endswith(OF_SQLITE)
                and not path.is_symlink()
                and (path.is_file() or path.is_dir())
            ):
                yield f"{part}/{path.relative_to(root)}", path


def _add_influxdb(copy: Archive, config: StoreConfig, path: Path) -> None:
    server(config, path).take(lambda name, content: copy.add_stream(f"{INFLUXDB}/{name}", content))


def server(config: StoreConfig, path: Path) -> Snapshot:
    """The InfluxDB that the config at `path` names."""
    return Snapshot(parse(config.url), token_of(config, path))
