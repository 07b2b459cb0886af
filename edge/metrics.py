"""The gateway's numbers for Prometheus, read at the moment of the scrape."""

from collections.abc import Callable, Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from edge.health import Health
from edge.reader import Counters
from edge.uplink import State

PORT_COUNTERS: tuple[tuple[str, str, Callable[[Counters], float]], ...] = (
    ("frames", "Good frames", lambda port: port.frames),
    ("frames_lost", "Frames that a gap in the sequence numbers shows as lost", lambda port: port.frames_lost),
    ("noise_bytes", "Bytes that were part of no good frame", lambda port: port.noise_bytes),
    ("port_errors", "Times the serial port failed", lambda port: port.errors),
    ("surplus_readings", "Readings given up because the device said more than an honest one can", lambda port: port.surplus),
    ("unsound_samples", "Samples outside the range of their quantity, or without a proper name", lambda port: port.unsound),
)


class Metrics(Collector):
    """Register one of these; every scrape asks it."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """The present numbers."""
        for name, meaning, value in PORT_COUNTERS:
            counter = CounterMetricFamily(f"hoflicht_edge_{name}", meaning, labels=["port"])
            for port, counters in self._health.ports.items():
                counter.add_metric([port], value(counters))
            yield counter
        is_open = GaugeMetricFamily("hoflicht_edge_port_open", "1 while the serial port is open", labels=["port"])
        for port, counters in self._health.ports.items():
            is_open.add_metric([port], float(counters.is_open))
        yield is_open
        yield from self._of_uplink()
        yield from self._of_spool()

    def _of_uplink(self) -> Iterator[Metric]:
        status = self._health.status
        is_flowing = float(status.state is State.FLOWING)
        yield GaugeMetricFamily("hoflicht_edge_flowing", "1 while batches are taken", value=is_flowing)
        yield CounterMetricFamily("hoflicht_edge_batches", "Batches published, repeated ones among them", value=status.batches)
        yield CounterMetricFamily("hoflicht_edge_batches_repeated", "Batches published again", value=status.repeated)
        yield CounterMetricFamily("hoflicht_edge_batches_stored", "Receipts: stored", value=status.receipts)
        yield CounterMetricFamily("hoflicht_edge_batches_refused", "Receipts: refused", value=status.refused)
        if status.latency_ms is not None:
            meaning = "From publishing a batch to its receipt, the last one"
            yield GaugeMetricFamily("hoflicht_edge_receipt_latency_seconds", meaning, value=status.latency_ms / 1000)

    def _of_spool(self) -> Iterator[Metric]:
        yield CounterMetricFamily("hoflicht_edge_readings_dropped", "Readings given up", value=self._health.dropped)
        spool = self._health.spool
        if spool is None:
            return
        yield GaugeMetricFamily("hoflicht_edge_spool_rows", "Readings that wait for their receipt", value=spool.rows)
        yield GaugeMetricFamily("hoflicht_edge_spool_bytes", "Size of the spool on disk", value=spool.bytes)
        yield GaugeMetricFamily("hoflicht_edge_spool_oldest_seconds", "Age of the oldest reading", value=spool.age_ms / 1000)
        yield CounterMetricFamily("hoflicht_edge_readings_quarantined", "Readings set aside", value=spool.quarantined)
