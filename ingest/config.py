"""What ingest must be told."""

from typing import Annotated

import msgspec

from hoflicht.broker import BrokerConfig
from hoflicht.config import Strict
from store.readings import StoreConfig

# Below broker.MAX_WAITING, so that the broker's window is full before ours.
ReceiveMaximum = Annotated[int, msgspec.Meta(ge=1, le=400)]


class IngestConfig(Strict, frozen=True):
    """One ingest worker. Relative paths start at the folder of the file."""

    city: str  # the catalogue
    store: StoreConfig
    broker: BrokerConfig = BrokerConfig()
    quarantine: str = "quarantine.db"
    http: str = ""  # /healthz and /metrics, "127.0.0.1:9102"; empty: nowhere
    client_id: str = "ingest"  # its own for each worker at one broker
    receive_maximum: ReceiveMaximum = 400  # batches in memory; each is at most 256 KiB, usually 10 kB
