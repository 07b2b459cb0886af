"""`hoflicht keys`: make, list, rotate and revoke staff's keys, and read what was done with them."""

import argparse
import datetime as dt
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from api.config import ApiConfig
from api.staff.audit import Audit, Entry
from api.staff.keys import MAX_KEYS, Key, KeyFile, Scope, make
from hoflicht.config import beside, load
from hoflicht.errors import BadConfig

MAX_NAME = 60
DAYS = 365  # a key that nobody misses ends by itself
MAX_DAYS = 3_650
OVERLAP_DAYS = 7  # in which whoever has the old key takes the new one
LAST = 50
HELP = """\
A key is printed once and never again; the file has only its hash. The running api knows of each change at once.

  hoflicht keys add /etc/hoflicht/api.toml --name "control room" --scope yards:hold --scope staff:read
  hoflicht keys rotate /etc/hoflicht/api.toml 1f0a93c2     the old key goes on for a week beside the new one
  hoflicht keys revoke /etc/hoflicht/api.toml 1f0a93c2     at once
"""


def main(argv: list[str]) -> int:
    """Run `hoflicht keys list|add|rotate|revoke|audit CONFIG`."""
    asked = _parser().parse_args(argv)
    config = load(asked.config, ApiConfig)
    if config.staff is None:
        raise BadConfig(f"{asked.config}: there is no [staff] section; with it the api has a staff API")
    keys, audit = KeyFile(beside(asked.config, config.staff.keys)), Audit(beside(asked.config, config.staff.audit))
    now = dt.datetime.now(dt.UTC)
    if asked.action == "list":
        sys.stdout.write(_listed(keys.read(), audit, now))
    elif asked.action == "audit":
        sys.stdout.write("".join(_line(entry) for entry in list(audit.entries())[-asked.last :]))
    else:
        _change(asked, keys, audit, now)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("hoflicht keys", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, meaning in (
        ("list", "all keys, and when each was last used"),
        ("add", "make a key"),
        ("rotate", "make a key in place of another, which ends soon"),
        ("revoke", "take a key away at once"),
        ("audit", "what was done with keys"),
    ):
        action = actions.add_parser(name, help=meaning)
        action.add_argument("config", metavar="CONFIG", type=Path, help="the TOML file of the api")
        if name in ("rotate", "revoke"):
            action.add_argument("id", help="the key's id, as list shows it")
        if name in ("add", "rotate"):
            action.add_argument("--days", type=int, default=DAYS, metavar="N", help=f"until it ends; default {DAYS}")
        if name == "add":
            action.add_argument("--name", required=True, help="whose it is: an office or a system, no person")
            action.add_argument("--scope", action="append", required=True, choices=[scope.value for scope in Scope])
        if name == "rotate":
            action.add_argument("--overlap-days", type=int, default=OVERLAP_DAYS, metavar="N", help="until the old one ends")
        if name == "audit":
            action.add_argument("--last", type=int, default=LAST, metavar="N", help=f"so many lines; default {LAST}")
    return parser


def _change(asked: argparse.Namespace, file: KeyFile, audit: Audit, now: dt.datetime) -> None:
    who = os.environ.get("SUDO_USER") or f"uid {os.getuid()}"
    what = f"add {asked.name}: {', '.join(asked.scope)}" if asked.action == "add" else f"{asked.action} {asked.id}"
    try:
        token = ""
        with file.changing() as keys:
            if asked.action == "add":
                token = _add(keys, _name(asked.name), [Scope(each) for each in asked.scope], now, asked.days)
            else:
                old = _taken(keys, asked.id)
                if asked.action == "rotate":
                    ends = now + dt.timedelta(days=asked.overlap_days)
                    keys.append(msgspec.structs.replace(old, expires=min(old.expires, ends)))
                    token = _add(keys, old.name, old.scopes, now, asked.days)
        sys.stdout.write(f"{token}\n" if token else "")
        audit.add(Entry(now, "", who, what, "done"))
    except OSError as cause:
        raise BadConfig(f"{cause.filename}: {cause.strerror}; run this as the user of the api") from cause


def _add(keys: list[Key], name: str, scopes: Sequence[Scope], now: dt.datetime, days: int) -> str:
    if len(keys) >= MAX_KEYS:
        raise BadConfig(f"there are {MAX_KEYS} keys already; revoke those that nobody uses")
    if not 1 <= days <= MAX_DAYS:
        raise BadConfig(f"--days {days}: 1 to {MAX_DAYS}")
    key, token = make(name, scopes, now, now + dt.timedelta(days=days))
    keys.append(key)
    return token


def _taken(keys: list[Key], named: str) -> Key:
    for key in keys:
        if key.id == named:
            keys.remove(key)
            return key
    raise BadConfig(f"there is no key {named!r}; there are: {', '.join(key.id for key in keys) or 'none'}")


def _name(text: str) -> str:
    if not text.strip() or len(text) > MAX_NAME or not text.isprintable():
        raise BadConfig(f"--name {text!r}: 1 to {MAX_NAME} printable characters")
    return text.strip()


def _listed(keys: Sequence[Key], audit: Audit, now: dt.datetime) -> str:
    used = {entry.key: entry.at for entry in audit.entries()}
    lines = [f"{'id':<8}  {'made (UTC)':<16}  {'ends':<16}  {'last used':<16}  {'scopes':<21}  name"]
    for key in keys:
        ends = _stamp(key.expires) if now < key.expires else "has ended"
        last = _stamp(used[key.id]) if key.id in used else "never"
        lines.append(f"{key.id:<8}  {_stamp(key.made)}  {ends:<16}  {last:<16}  {' '.join(key.scopes):<21}  {key.name}")
    return "".join(f"{line}\n" for line in lines)


def _line(entry: Entry) -> str:
    return f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.key or '-':<8}  {entry.name:<20}  {entry.what}: {entry.outcome}\n"


def _stamp(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
