"""What a run came to: one line for a person, and the same figures as JSON for whoever quotes them."""

import os
from pathlib import Path
from typing import Any

import msgspec

WHERE = "HOFLICHT_CHAOS_REPORT"
USUAL = ".pytest_cache/chaos-report.json"


def add(run: str, **figures: Any) -> None:
    """Print the figures of `run` and put them beside those of the other runs."""
    print(f"\n{run}: " + ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in figures.items()))
    path = Path(os.environ.get(WHERE, USUAL))
    path.parent.mkdir(parents=True, exist_ok=True)
    known = msgspec.json.decode(path.read_bytes(), type=dict[str, Any]) if path.exists() else {}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(known | {run: figures})))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {inner}" for name, inner in value.items()) + ")"
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else str(value)
