"""The address under which everybody reaches us: as the catalogue says, else as we were asked."""

import re

from fastapi import Request

from api.problems import Wrong
from hoflicht.catalogue import City

# What stands in documents that others keep is no place for whatever a client writes into its Host header.
HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:\d{1,5})?")


def base(request: Request, city: City) -> str:
    """Without a slash at its end; raise Wrong where the request does not say who was asked."""
    if city.open_data.url:
        return city.open_data.url
    host = request.headers.get("host", "")
    if not HOST.fullmatch(host):
        raise Wrong(400, "the Host header names no host")
    return f"{request.url.scheme}://{host}"
