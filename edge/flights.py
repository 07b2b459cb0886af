"""Batches under way: published, and no receipt yet."""

from collections.abc import Iterator

import msgspec

from edge.rows import Range

FIRST_TIMEOUT_MS = 30_000  # for a receipt: batch and answer over a slow mobile link, and a slow write of the database
LONGEST_TIMEOUT_MS = 300_000


class Flight(msgspec.Struct, frozen=True):
    """One batch under way."""

    rows: Range
    token: int  # of its publish
    sent_ms: int
    is_live: bool
    tries: int = 1

    @property
    def due_ms(self) -> int:
        """When its receipt is overdue; each try has twice as long as the one before."""
        timeout_ms: int = FIRST_TIMEOUT_MS << min(self.tries - 1, 8)
        return self.sent_ms + min(timeout_ms, LONGEST_TIMEOUT_MS)


class Flights:
    """All batches under way; no two hold the same row."""

    def __init__(self) -> None:
        self._by_rows: dict[Range, Flight] = {}

    def __len__(self) -> int:
        return len(self._by_rows)

    def __iter__(self) -> Iterator[Flight]:
        return iter(tuple(self._by_rows.values()))

    def add(self, flight: Flight) -> None:
        """Note a batch that was published, or published again."""
        self._by_rows[flight.rows] = flight

    def land(self, rows: Range) -> Flight | None:
        """Take the batch with these rows out; None where it is not under way."""
        return self._by_rows.pop(rows, None)

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
