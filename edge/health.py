"""What the gateway says about itself: readings like all others, /healthz for a person, one log line where readings are lost.

Between two reports it says that it lives: the yards it serves have no number once that has not been heard for a minute
(api/estimate/waiting.py). The sign of life is a reading and goes the way of all readings, from disk to receipt: where they are
stuck it is too.
"""

import contextlib
import logging
import math
import queue
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from edge.observation import Observation
from edge.reader import Counters
from edge.spool import ROW_BYTES, Spool
from edge.spool import State as SpoolState
from edge.uplink import State, Status
from edge.validity import ends
from hoflicht import __version__, version
from hoflicht.clock import Clock
from hoflicht.errors import BadPayload
from hoflicht.quantities import QUANTITIES
from hoflicht.stop import Stopping

log = logging.getLogger(__name__)

THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")  # thousandths of a degree; the processor on every board we know
SELDOM_MS = 3_600_000  # what moves in days: 900 bytes a day by the hour, where the rest of health takes 260 kB
FIRST_LOOK_S = 3.0  # by then each port has been tried
LONGEST_HOURS = QUANTITIES["spool_hours_left"].high


class Health:
    """All that is known of this gateway. `look` belongs to one thread; the others read what it saw last."""

    def __init__(
        self,
        gateway: str,
        status: Status,
        ports: Mapping[str, Counters],
        limit_bytes: int,
        clock: Clock,
        folder: Path,  # of the spool
        certificate: Path | None,  # shown to the broker; None: it wants none
    ) -> None:
        self.status = status
        self.ports = ports
        self.spool: SpoolState | None = None
        self._gateway = gateway
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._folder = folder
        self._certificate = certificate
        self._started_ms = self._looked_ms = clock.monotonic_ms()
        self._seldom_ms: int | None = None
        self._receipts = 0
        self._is_losing = False
        self._told_open: dict[str, bool] = {}  # by port
        self._surplus: dict[str, int] = {}
        self._flooding: set[str] = set()

    @property
    def dropped(self) -> int:
        """Readings given up: the disk was full, or took none and memory was full, or a device said more than it may."""
        return self._not_kept + sum(port.surplus for port in self.ports.values())

    @property
    def _not_kept(self) -> int:
        return (self.spool.dropped if self.spool else 0) + sum(port.overflown for port in self.ports.values())

    def look(self, spool: SpoolState) -> list[Observation]:
        """Compare with the last look, and say it in readings."""
        now_ms = self._clock.monotonic_ms()
        before, not_kept_before = self.spool, self._not_kept
        self.spool = spool
        values = list(self._gateway_values(before, spool, now_ms))
        if self._seldom_ms is None or now_ms - self._seldom_ms >= SELDOM_MS:
            values += self._seldom_values()
            self._seldom_ms = now_ms
        self._looked_ms = now_ms
        self._receipts = self.status.receipts
        if before is not None:
            self._mind_losses(self._not_kept - not_kept_before)
        self._mind_floods()
        seen = [Observation(self._gateway, "gateway", quantity, now_ms, value) for quantity, value in values]
        temperature = _processor_temperature()
        if temperature is not None:
            seen.append(Observation(self._gateway, "cpu", "temperature", now_ms, temperature))
        for name, port in self.ports.items():
            seen += [Observation(self._gateway, name, quantity, now_ms, value) for quantity, value in _port_values(port)]
        self._told_open = {name: port.is_open for name, port in self.ports.items()}
        return seen

    def sign_of_life(self) -> list[Observation]:
        """One open port, told again, and every port that has opened or closed since it was told; nothing where none is open.

        An open port rather than the uptime: with no port the gateway hears nothing, and its silence is the truth about the yard.
        """
        now_ms = self._clock.monotonic_ms()
        is_open = {name: port.is_open for name, port in self.ports.items()}
        changed = {name for name, value in is_open.items() if self._told_open.get(name) != value}
        alive = next((name for name, value in is_open.items() if value), None)
        self._told_open = is_open
        told = [name for name in is_open if name in changed or name == alive]
        return [Observation(self._gateway, name, "port_open", now_ms, float(is_open[name])) for name in told]

    def report(self) -> dict[str, object]:
        """What /healthz answers; `ok` while batches flow and all ports are open."""
        spool = self.spool
        return {
            "ok": self.status.state is State.FLOWING and all(port.is_open for port in self.ports.values()),
            "gateway": self._gateway,
            "uplink": str(self.status.state),
            "trouble": self.status.trouble,
            "clock_set": spool is not None and spool.is_stamping,
            "spool": None
            if spool is None
            else {"rows": spool.rows, "bytes": spool.bytes, "oldest_s": spool.age_ms // 1000, "quarantined": spool.quarantined},
            "dropped": self.dropped,
            "ports": {name: {"open": port.is_open, "frames": port.frames} for name, port in self.ports.items()},
        }

    def _gateway_values(self, before: SpoolState | None, spool: SpoolState, now_ms: int) -> Iterator[tuple[str, float]]:
        yield "uptime", (now_ms - self._started_ms) / 1000
        yield "spool_rows", spool.rows
        yield "spool_bytes", spool.bytes
        yield "spool_age", spool.age_ms / 1000
        yield "dropped", self.dropped
        yield "quarantined", spool.quarantined
        yield "clock_synchronised", float(spool.is_stamping)
        if self.status.latency_ms is not None and self.status.receipts > self._receipts:
            yield "receipt_latency", self.status.latency_ms / 1000
        if before is not None and now_ms > self._looked_ms:
            rows_per_hour = (spool.last_id - before.last_id) / (now_ms - self._looked_ms) * 3_600_000
            yield "spool_hours_left", round(hours_left(self._limit_bytes - spool.bytes, rows_per_hour), 1)

    def _seldom_values(self) -> Iterator[tuple[str, float]]:
        yield "version", version.number(__version__)
        with contextlib.suppress(OSError):  # a disk that does not answer shows in the spool
            room = shutil.disk_usage(self._folder)
            yield "disk_free", round(room.free / room.total, 3)
        if self._certificate is not None and self._clock.is_set():
            with contextlib.suppress(BadPayload):  # one that is not there is the broker session's to tell
                yield "certificate_left", round(ends(self._certificate).timestamp() - self._clock.now_ms() / 1000)

    def _mind_losses(self, lost: int) -> None:
        if lost and not self._is_losing:
            log.error("the spool is full: %d readings had to be given up, the least important and oldest first", lost)
        elif self._is_losing and not lost:
            log.warning("no reading has to be given up any more")
        self._is_losing = lost > 0

    def _mind_floods(self) -> None:
        for name, port in self.ports.items():
            lost = port.surplus - self._surplus.get(name, 0)
            if lost and name not in self._flooding:
                log.error("the device at port %s says more than an honest one can: %d readings of it were given up", name, lost)
                self._flooding.add(name)
            elif not lost and name in self._flooding:
                log.warning("the device at port %s is back at its rate; %d readings of it were given up", name, port.surplus)
                self._flooding.remove(name)
            self._surplus[name] = port.surplus


def run(
    health: Health, spool: Spool, out: "queue.Queue[Observation]", every_s: float, alive_every_s: int, stopping: Stopping
) -> None:
    """Look soon and then every `every_s` until `stopping`, with a sign of life at least every `alive_every_s` between, if not 0.

    What is seen goes the way of all readings.
    """
    rounds = math.ceil(every_s / alive_every_s) if alive_every_s else 1  # a look is a sign of life too
    # A port that was not tried yet would be told as closed, and a counter on it as out.
    if stopping.wait(min(FIRST_LOOK_S, every_s)):
        return
    number = 0
    while True:
        for observation in health.look(spool.state()) if number % rounds == 0 else health.sign_of_life():
            with contextlib.suppress(queue.Full):  # the disk takes nothing; the next look comes
                out.put_nowait(observation)
        number += 1
        if stopping.wait(every_s / rounds):
            return


def hours_left(bytes_left: int, rows_per_hour: float) -> float:
    """Hours until a spool is full if from now on nothing is confirmed: how long an outage may last."""
    if rows_per_hour <= 0:
        return LONGEST_HOURS
    return min(LONGEST_HOURS, max(0, bytes_left) / ROW_BYTES / rows_per_hour)


def _port_values(port: Counters) -> Iterator[tuple[str, float]]:
    yield "port_open", float(port.is_open)
    yield "port_errors", port.errors
    yield "frames", port.frames
    yield "frames_lost", port.frames_lost
    yield "noise_bytes", port.noise_bytes
    yield "surplus", port.surplus


def _processor_temperature() -> float | None:
    try:
        return int(THERMAL.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):  # not every machine has one
        return None
