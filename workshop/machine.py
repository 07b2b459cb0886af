"""What the doctor sees of the machine: its clock, its disk, its serial ports. It opens no port, for that resets some devices."""

import datetime as dt
import grp
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hoflicht.clock import Clock
from hoflicht.instants import moment
from workshop.finding import Finding, untold, well, wrong

LEAST_FREE = 0.05  # of a disk; below it the next log or update fills it
OFFSET_S = 5  # an HTTP date has whole seconds, and an answer may take some
SERIAL_GROUP = "dialout"  # Debian's


class Holder(NamedTuple):
    """A program that has a port open: "ModemManager (pid 412)"."""

    name: str
    is_ours: bool


def clock(now: Clock, needs_ntp: bool = True) -> Finding:
    """Whether the kernel believes its own clock."""
    stamp = moment(now.now_ms()).strftime("%Y-%m-%d %H:%M:%S UTC")
    if now.is_set():
        return well("clock", f"a time service keeps it; it is {stamp}")
    why = "the kernel says that no time service has set it (adjtimex)"
    step = "timedatectl; then systemctl status systemd-timesyncd, and whether UDP port 123 gets out"
    if needs_ntp:
        return wrong("clock", f"it is not set by a time service, and says {stamp}", why, step)
    return untold("clock", f"no time service keeps it, as the config has it; it says {stamp}", why)


def offset(server: str, date: str, now: Clock) -> Iterator[Finding]:
    """The clock beside the `Date` of an answer over HTTP."""
    try:
        theirs = dt.datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=dt.UTC)
    except ValueError:
        return  # it told none
    away_s = now.now_ms() / 1000 - theirs.timestamp()
    if abs(away_s) > OFFSET_S:
        before = "before" if away_s > 0 else "behind"
        why = f"{server} says {theirs:%Y-%m-%d %H:%M:%S UTC}"
        yield wrong("clock", f"it is {abs(away_s):,.0f} s {before} that of {server}", why, "timedatectl, on both machines")


def disk(folder: Path, room: int = 0) -> Finding:
    """The room in `folder`, of which `room` bytes may still be needed."""
    if not folder.is_dir():
        step = f"install -d -o hoflicht -g hoflicht -m 750 {folder}, or the right path in the config"
        return wrong("disk", f"there is no folder {folder}", "the role keeps its files there", step)
    usage = shutil.disk_usage(folder)
    free = f"{usage.free / 1e6:,.0f} MB of {usage.total / 1e6:,.0f} MB are free in {folder}"
    if usage.free < max(room, usage.total * LEAST_FREE):
        why = f"{room / 1e6:,.0f} MB may still be needed" if usage.free < room else f"less than {LEAST_FREE:.0%} are free"
        return wrong(
            "disk", free, why, f"du -xh --max-depth=2 {folder.anchor} | sort -h | tail; then journalctl --vacuum-size=100M"
        )
    return well("disk", free)


def port(part: str, path: Path, is_open: bool | None, processes: Path = Path("/proc")) -> Finding:
    """One serial port; `is_open` is what a running agent says of it, None where none is asked."""
    if is_open:
        return well(part, f"{path}: the agent has it open")
    hindrance = _hindrance(part, path)
    if hindrance is not None:
        return hindrance
    users = holders(path, processes)
    others = [user.name for user in users if is_open is False or not user.is_ours]
    if others:
        step = "stop what should not have it (systemctl stop …): a port has one user"
        return wrong(part, f"{path} is in use by another program", f"it is open in {', '.join(others)}", step)
    if is_open is False:
        step = f"journalctl -u hoflicht-edge | grep {path.name}"
        return wrong(part, f"the agent cannot open {path}", "it is there, and the agent says that it is closed", step)
    return well(part, f"{path} is open in {users[0].name}" if users else f"{path} is there, and nobody is seen to have it")


def _hindrance(part: str, path: Path) -> Finding | None:
    """Why the device at `path` cannot be opened."""
    try:
        mode = path.stat().st_mode
    except OSError as cause:
        why = "no device of that name is plugged in" if isinstance(cause, FileNotFoundError) else str(cause.strerror)
        return wrong(
            part, f"there is no {path}", why, "plug it in; ls -l /dev/serial/by-id/ shows what is; dmesg | tail tells more"
        )
    if not stat.S_ISCHR(mode):
        return wrong(part, f"{path} is no serial port", "it is a file or a folder", "put the device's path into the config")
    if not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
        why = f"its mode is {stat.filemode(mode)}, its group {_group(path)}"
        return wrong(part, f"this user may not use {path}", why, f"usermod -aG {SERIAL_GROUP} hoflicht; then start the agent again")
    return None


def holders(path: Path, processes: Path = Path("/proc")) -> list[Holder]:
    """The programs that have `path` open, as far as this user may see."""
    real = str(path.resolve())
    found: list[Holder] = []
    for process in processes.glob("[0-9]*"):
        try:
            if any(str(link.readlink()) == real for link in (process / "fd").iterdir()):
                name = f"{(process / 'comm').read_text().strip()} (pid {process.name})"
                found.append(Holder(name, b"hoflicht" in (process / "cmdline").read_bytes()))
        except OSError:  # another user's, or gone meanwhile
            continue
    return found


def _group(path: Path) -> str:
    number = path.stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
