"""Where readings live: one protocol, one URL, two stores behind it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from hoflicht.clock import SystemClock
from hoflicht.config import Strict, beside, secret
from hoflicht.errors import BadConfig
from hoflicht.reading import Reading
from store.answers import Rejected
from store.sqlite import SqliteStore

ENVIRONMENT = "INFLUX_TOKEN"  # the variable that InfluxDB's own tools read
SQLITE = "sqlite:///"
FORMS = "sqlite:///path/to/readings.db or influx+http(s)://host:8086/bucket?org=name"


class Store(Protocol):
    """What ingest and the api may ask of a store; safe to use from several threads.

    Every method raises Unavailable where the store is away for now, and Refused where it answers that we may not.
    """

    def write(self, readings: Sequence[Reading]) -> list[Rejected]:
        """Store `readings`, on disk when this returns; hand back those that are refused for good.

        A repeat overwrites itself. An empty write asks whether one would be taken.
        """
        ...

    def write_lines(self, written: Sequence[bytes]) -> list[Rejected]:
        """As `write`, of readings that `store.lines.lines` has written; of many at once this takes far less time."""
        ...

    def read(self, site: str, quantities: Sequence[str], start_ms: int, end_ms: int) -> list[Reading]:
        """All sensors of `site` in [start, end), by time, then sensor and quantity; BadPayload for more than MAX_READ."""
        ...

    def latest(self, quantities: Sequence[str], since_ms: int) -> list[Reading]:
        """The newest reading of each site, sensor and quantity, if taken at `since_ms` or later; by site, sensor, quantity."""
        ...

    def means(self, site: str, sensor: str, quantity: str, start_ms: int, end_ms: int, step_ms: int) -> list[tuple[int, float]]:
        """The mean of each step of [start, end) that has readings, with the step's start in ms.

        Steps are counted from the epoch, so the first may begin before `start_ms`; BadPayload for more than MAX_STEPS. Where
        readings are given up after some months, older steps are made of whole hours, each as if all of it lay at its start.
        """
        ...

    def sums(self, site: str, sensor: str, quantity: str, start_ms: int, end_ms: int, step_ms: int) -> list[tuple[int, float]]:
        """As `means`, but the sum: of events, such as passages."""
        ...

    def count(self) -> int:
        """How many points there are; slow on a large store."""
        ...

    def prepare(self) -> None:
        """Set up what the store needs: schema, retention, downsampling. Doing so again changes nothing."""
        ...

    def ping(self) -> None:
        """Return if the store answers and lets us read."""
        ...

    def close(self) -> None:
        """Give back files and connections."""
        ...


class StoreConfig(Strict, frozen=True):
    """Where the store is; the token stands in a file or in the environment variable INFLUX_TOKEN, never here."""

    url: str
    token_file: str = ""


def open_store(url: str, token: str = "") -> Store:
    """Open the store at `url`; raise BadConfig where it is no URL of a store, or names a file that is none of ours."""
    if url.startswith(SQLITE):
        return SqliteStore(Path(url.removeprefix(SQLITE)))
    if url.startswith(("influx+http://", "influx+https://")):
        try:
            # Only here: a yard on SQLite needs neither the client nor the second that its import takes.
            from store.influx import InfluxStore, parse  # noqa: PLC0415
        except ModuleNotFoundError as cause:
            raise BadConfig(f"store url {url!r} needs {cause.name}; install it with: pip install 'hoflicht[ingest]'") from cause
        return InfluxStore(parse(url), token, SystemClock())
    raise BadConfig(f"store url {url!r}: expected {FORMS}")


def open_configured(store: StoreConfig, config: Path) -> Store:
    """Open what the `[store]` section of the file at `config` names; relative paths start at the folder of that file."""
    url = store.url
    if url.startswith(SQLITE):
        url = f"{SQLITE}{beside(config, url.removeprefix(SQLITE))}"
    return open_store(url, token_of(store, config))


def token_of(store: StoreConfig, config: Path) -> str:
    """The token that the `[store]` section of the file at `config` means; nothing where it means none."""
    if store.token_file:
        return secret(str(beside(config, store.token_file)), "[store] token_file")
    return os.environ.get(ENVIRONMENT, "").strip()
