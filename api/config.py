"""What the api must be told."""

from api.limits import Limits
from hoflicht.broker import BrokerConfig
from hoflicht.config import Strict
from store.readings import StoreConfig


class StaffConfig(Strict, frozen=True):
    """Where keys, audit and what is said of lamps and yards lie; all in a folder that the api may write to."""

    keys: str = "staff-keys.json"
    audit: str = "staff-audit.jsonl"
    lights: str = "staff-lights.json"
    notices: str = "staff-notices.json"


class ApiConfig(Strict, frozen=True):
    """The file that `hoflicht api` reads. Relative paths start at its folder."""

    city: str  # the catalogue
    store: StoreConfig
    listen: str = "127.0.0.1:8000"
    broker: BrokerConfig | None = None
    publish: bool = True
    limits: Limits = Limits()
    staff: StaffConfig | None = None
