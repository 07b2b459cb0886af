"""What the doctor sees of the store: is it there, does it let us, does it keep what it should, does the hourly task run."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hoflicht.clock import Clock
from hoflicht.config import beside, secret
from hoflicht.errors import BadConfig, HoflichtError, Refused
from store.hourly import RETENTION_S, hourly_bucket, task_name
from store.readings import ENVIRONMENT, SQLITE, StoreConfig, open_configured
from workshop import machine, telephone
from workshop.finding import Finding, State, untold, well, wrong

if TYPE_CHECKING:
    from store.influx import Address  # at run time only where it is needed: importing its client takes a second

PART = "database"
PREPARE = "hoflicht ingest --prepare CONFIG, with a token of all access"
REMEDY = "the right token into the file of token_file, mode 640; influx auth list shows what each may do"


def findings(store: StoreConfig, config: Path, now: Clock) -> Iterator[Finding]:
    """All about the store that the file at `config` names."""
    if store.url.startswith(SQLITE):
        yield from _file(store, config)
    else:
        yield from _server(store, config, now)


def _file(store: StoreConfig, config: Path) -> Iterator[Finding]:
    path = beside(config, store.url.removeprefix(SQLITE))
    if not path.exists():  # opening it would make one
        yield wrong(
            PART, f"there is no {path}", "ingest makes it when it starts", "start ingest; is the path the same in both configs?"
        )
        return
    yield _pinged(store, config, f"{path} can be read")


def _pinged(store: StoreConfig, config: Path, what: str) -> Finding:
    try:
        with closing(open_configured(store, config)) as opened:
            opened.ping()
    except Refused as cause:
        return wrong(PART, "it refuses us", str(cause), REMEDY)
    except BadConfig as cause:
        return wrong(PART, "it cannot be opened", str(cause), "repair what is named")
    except HoflichtError as cause:
        return wrong(PART, "it does not answer", str(cause), "is it running? docker compose ps influxdb; its log; its disk")
    return well(PART, what)


def _server(store: StoreConfig, config: Path, now: Clock) -> Iterator[Finding]:
    from store.influx import parse  # noqa: PLC0415

    try:
        address = parse(store.url)
        token = os.environ.get(ENVIRONMENT, "").strip()
        if store.token_file:
            token = secret(str(beside(config, store.token_file)), "[store] token_file")
    except BadConfig as cause:
        yield wrong(PART, "it cannot be asked", str(cause), "repair what is named")
        return
    try:
        answer = telephone.ask(f"{address.server}/health")
    except OSError as cause:
        step = "is it running? docker compose ps influxdb, or systemctl status influxdb"
        yield wrong(PART, f"no answer from {address.server}", str(cause), step)
        return
    yield from machine.offset(address.server, answer.date, now)
    pinged = _pinged(store, config, f"{address.server} lets us read the bucket {address.bucket}")
    yield pinged
    if pinged.state is State.WELL:
        yield from _kept(address, token)


def _kept(address: "Address", token: str) -> Iterator[Finding]:
    """Retention and hourly values, as far as this token may see them."""
    buckets = _list(address, token, "buckets", address.bucket)
    if not buckets:
        yield untold(PART, "what it keeps is not seen", "it did not list the bucket", "ask again; then its log")
        return
    bucket = buckets[0]
    seconds = sum(rule.get("everySeconds", 0) for rule in bucket.get("retentionRules", []))
    if 0 < seconds < RETENTION_S:
        why = f"the waiting time learns from eight weeks, {RETENTION_S // 86_400} days are meant"
        step = f"influx bucket update --id {bucket.get('id')} --retention {RETENTION_S // 86_400}d"
        yield wrong(PART, f"readings are kept for {seconds / 86_400:g} days only", why, step)
    else:
        yield well(PART, f"readings are kept {f'for {seconds / 86_400:g} days' if seconds else 'for ever'}")
    if not _list(address, token, "buckets", hourly_bucket(address.bucket)):
        why = f"there is no bucket {hourly_bucket(address.bucket)}, or this token may not see it"
        yield wrong(PART, "no hourly values are kept", why, PREPARE)
    tasks = _list(address, token, "tasks", task_name(address.bucket))
    if not tasks:
        yield untold(PART, "the hourly task is not seen", "there is none, or this token may not see tasks", PREPARE)
        return
    yield _ran(tasks[0])


def _ran(task: dict[str, Any]) -> Finding:
    if task.get("status") != "active":
        return wrong(
            PART,
            "the hourly task is switched off",
            f"its status is {task.get('status')}",
            f"influx task update --id {task['id']} --status active",
        )
    if task.get("lastRunStatus") == "failed":
        return wrong(
            PART, "the hourly task failed", str(task.get("lastRunError", ""))[:200], f"influx task log list --task-id {task['id']}"
        )
    return well(PART, f"the hourly task is on, and last ran at {task.get('latestCompleted', 'no time yet')}")


def _list(address: "Address", token: str, what: str, name: str) -> list[dict[str, Any]] | None:
    """What InfluxDB has of that name; None where it does not let us ask."""
    url = f"{address.server}/api/v2/{what}?org={quote(address.org)}&name={quote(name)}"
    try:
        answer = telephone.ask(url, token, "Token")
    except OSError:
        return None
    found = answer.json().get(what) if answer.status == 200 else None
    return [one for one in found if one.get("name") == name] if isinstance(found, list) else None
