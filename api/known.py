"""The yard that a path names."""

from typing import Annotated

from fastapi import Path

from api.problems import Wrong
from hoflicht.catalogue import City

YardId = Annotated[str, Path(max_length=63, description="Id of a yard, as /v1/yards lists it", examples=["hof-nord"])]


def known(city: City, yard: str) -> str:
    """`yard`, where the city has it; else raise Wrong."""
    if yard not in city.yards:
        raise Wrong(404, f"there is no yard {yard!r}; there are: {', '.join(city.yards)}")
    return yard
