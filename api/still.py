"""A collection as it was at one instant, for a minute: written and packed once for everybody who asks.

All lamps of a city of 46 000 are 25 MB of JSON and 2 MB packed; without this each client would be sent other ages every few
seconds.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from fastapi import Request
from fastapi.responses import Response

from api.answers import geojson
from api.minutes import MINUTE_MS, MINUTE_S
from api.recent import Recent
from api.reply import GEOJSON, JSON, Body, reply
from hoflicht.clock import Clock


class Forms:
    """An answer and the places in it, in both forms; that which nobody asks for is not written."""

    def __init__(self, answer: msgspec.Struct, places: Sequence[Any]) -> None:
        self._answer = answer
        self._places = places

    @functools.cached_property
    def json(self) -> Body:
        """As our own shape."""
        return Body(msgspec.json.encode(self._answer))

    @functools.cached_property
    def geojson(self) -> Body:
        """As a FeatureCollection."""
        return Body(msgspec.json.encode(geojson(self._places)))


class Still:
    """What `ask` answers, and its places, at most a minute old."""

    def __init__(self, ask: Callable[[], Forms], clock: Clock) -> None:
        self._recent = Recent(ask, MINUTE_MS, clock)

    def reply(self, request: Request, form: str) -> Response:
        """In the form that is asked for, "json" or "geojson"."""
        forms = self._recent.get()
        if form == "geojson":
            return reply(request, forms.geojson, GEOJSON, MINUTE_S)
        return reply(request, forms.json, JSON, MINUTE_S)
