"""All boards, as Grafana reads them."""

import json
from collections.abc import Callable
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.lamps import lamps
from dashboards.platform import platform
from dashboards.yards import yards

FOLDER_UID = "hoflicht"
FOLDER_TITLE = "hoflicht"
BOARDS: tuple[Callable[[], Dashboard], ...] = (yards, lamps, platform)


def boards(*, editable: bool = False) -> list[dict[str, Any]]:
    """The JSON model of every board; with `editable` Grafana lets people change it, and `hoflicht dashboards diff` tells what."""
    return [_model(build()) | {"editable": editable} for build in BOARDS]


def _model(board: Dashboard) -> dict[str, Any]:
    model: dict[str, Any] = json.loads(JSONEncoder().encode(board.build()))
    return model
