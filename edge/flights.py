"""Batches under way: published, and no receipt yet."""

import itertools
from collections.abc import Iterator

import msgspec

from edge.rows import Range

LONGEST_SILENCE_MS = 30_000  # without a receipt: batch and answer over a slow mobile link, and a slow write of the database
SHORTEST_SILENCE_MS = 5_000  # where receipts used to come at once
PATIENCE = 8  # times the latency that receipts had lately; between the two
OVERTAKEN_MS = 5_000  # until a batch goes again that others have overtaken; each time twice as long, up to
LONGEST_OVERTAKEN_MS = 300_000


class Flight(msgspec.Struct, frozen=True):
    """One batch under way."""

    rows: Range
    token: int  # of its publish
    sent_ms: int
    is_live: bool
    tries: int = 1
    is_overtaken: bool = False  # one that was sent later has its receipt

    @property
    def due_ms(self) -> int:
        """When it is to go again if it is overtaken."""
        wait_ms: int = OVERTAKEN_MS << min(self.tries - 1, 8)
        return self.sent_ms + min(wait_ms, LONGEST_OVERTAKEN_MS)


class Flights:
    """All batches under way, in the order of sending; no two hold the same row."""

    def __init__(self) -> None:
        self._by_rows: dict[Range, Flight] = {}
        self._answered_ms = 0  # when the last receipt came
        self._latency_ms: int | None = None  # of the slowest one, fading with each

    def __len__(self) -> int:
        return len(self._by_rows)

    def __iter__(self) -> Iterator[Flight]:
        return iter(tuple(self._by_rows.values()))

    @property
    def patience_ms(self) -> int:
        """How long a silence may be, by the receipts that came."""
        if self._latency_ms is None:
            return LONGEST_SILENCE_MS
        return min(max(SHORTEST_SILENCE_MS, PATIENCE * self._latency_ms), LONGEST_SILENCE_MS)

    def silence_ms(self, now_ms: int) -> int:
        """How long nothing has been heard of the batches that are not overtaken; 0 where there is none."""
        waiting = next((flight for flight in self if not flight.is_overtaken), None)
        return 0 if waiting is None else now_ms - max(waiting.sent_ms, self._answered_ms)

    def overdue(self, now_ms: int) -> list[Flight]:
        """Those that are overtaken and go again now."""
        return [flight for flight in self if flight.is_overtaken and now_ms >= flight.due_ms]

    def add(self, flight: Flight) -> None:
        """Note a batch that was published, or published again."""
        self._by_rows[flight.rows] = flight

    def land(self, rows: Range) -> Flight | None:
        """Take the batch with these rows out; None where it is not under way."""
        return self._by_rows.pop(rows, None)

    def answered(self, rows: Range, now_ms: int) -> Flight | None:
        """Land the batch with these rows, whose receipt is there; it has overtaken those that were sent before it.

        A worker of ingest hangs with them, or they were lost with one that was killed: a broker gives to nobody else what it has
        given to one of a shared subscription.
        """
        self._answered_ms = now_ms
        if rows in self._by_rows:
            for earlier in itertools.takewhile(lambda other: other != rows, self._by_rows):
                self._by_rows[earlier] = msgspec.structs.replace(self._by_rows[earlier], is_overtaken=True)
        flight = self.land(rows)
        if flight is not None:
            self._latency_ms = max(now_ms - flight.sent_ms, (self._latency_ms or 0) * 7 // 8)
        return flight

    def by_token(self, token: int) -> Flight | None:
        """The batch whose publish has this token; None for a publish of something else."""
        return next((flight for flight in self if flight.token == token), None)

    def rows(self) -> list[Range]:
        """The rows that are under way."""
        return list(self._by_rows)

    def of_backlog(self) -> int:
        """How many batches of the backlog are under way."""
        return sum(not flight.is_live for flight in self)

    def forget(self) -> None:
        """Nothing is under way any more: what was goes again."""
        self._by_rows.clear()
