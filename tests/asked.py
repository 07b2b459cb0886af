"""The queries of a board as Grafana sends them."""

import re
import time
from collections.abc import Mapping
from typing import Any

UNITS_S = {"m": 60, "h": 3_600, "d": 86_400, "y": 365 * 86_400}
FINEST_S, PIXELS = 10, 1_000  # the data source's step; a panel's width
ALL = "\"site\" != ''"


def sent(
    board: dict[str, Any],
    panel: dict[str, Any],
    target: dict[str, Any],
    bucket: str,
    chosen: Mapping[str, str],
    now_ms: int | None = None,
) -> str:
    """The query `target` for the span of time that its panel first shows; at `now_ms`, without it now."""
    span = panel.get("timeFrom") or board["time"]["from"].removeprefix("now-")
    least_s = _seconds(panel["interval"]) if "interval" in panel else FINEST_S
    return filled_in(target["query"], bucket, chosen, _seconds(span), least_s, now_ms)


def filled_in(
    text: str, bucket: str, chosen: Mapping[str, str], span_s: int, least_s: int = FINEST_S, now_ms: int | None = None
) -> str:
    """`text` with the macros and variables that the data source knows; at `now_ms`, also for InfluxDB itself, or now."""
    if now_ms is None:
        now_ms = int(time.time() * 1000)
    else:
        text = text.replace("now()", f"{now_ms}ms")
    macros = {
        "$timeFilter": f"time >= {now_ms - span_s * 1000}ms and time <= {now_ms}ms",
        "${__interval}": f"{max(least_s, span_s // PIXELS)}s",
        **{f"${{{name}:raw}}": value for name, value in {"part": ALL, "bucket": bucket, **chosen}.items()},
    }
    for macro, value in macros.items():
        text = text.replace(macro, value)
    return text


def _seconds(span: str) -> int:
    number, unit = re.findall(r"\d+|[a-z]", span)
    return int(number) * UNITS_S[unit]
