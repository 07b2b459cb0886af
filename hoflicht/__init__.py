"""hoflicht: smart street lamps and recycling yards, from the serial byte to the LED digit."""

from hoflicht.errors import BadConfig, BadPayload, HoflichtError, Refused, Unavailable
from hoflicht.reading import Reading

__version__ = "0.1.0"

__all__ = ["BadConfig", "BadPayload", "HoflichtError", "Reading", "Refused", "Unavailable", "__version__"]
