"""All boards, as Grafana reads them."""

import json
from collections.abc import Callable
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.city import city as city_board
from dashboards.energy import energy
from dashboards.environment import environment
from dashboards.lamp import lamp
from dashboards.lamps import lamps
from dashboards.parts import Scope
from dashboards.platform import platform
from dashboards.words import Language, translated
from dashboards.yards import yards
from hoflicht.catalogue import City

FOLDER_UID = "hoflicht"
FOLDER_TITLE = "hoflicht"
BOARDS: tuple[Callable[[Scope], Dashboard], ...] = (city_board, lamps, lamp, energy, yards, environment, platform)


def boards(
    *, editable: bool = False, language: Language = "en", city: City | None = None, bucket: str = "hoflicht"
) -> list[dict[str, Any]]:
    """The JSON model of every board; with `editable` Grafana lets people change it, and `hoflicht dashboards diff` tells what.

    `city` adds what readings do not know: streets, groups, cabinets, positions. `bucket` is the one of the data source.
    """
    scope = Scope(city, bucket)
    return [translated(_model(build(scope)), language) | {"editable": editable} for build in BOARDS]


def _model(board: Dashboard) -> dict[str, Any]:
    model: dict[str, Any] = json.loads(JSONEncoder().encode(board.build()))
    return model
