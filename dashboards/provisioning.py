"""Boards, data source and alarms as files that Grafana reads at its start. YAML by way of JSON, which every YAML reader takes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dashboards.boards import FOLDER_TITLE, FOLDER_UID
from dashboards.rules import ORG
from hoflicht.errors import BadConfig

ALARMS = "alerting/hoflicht.yaml"
RELOAD_S = 30  # how often Grafana looks whether a board's file has changed


def write(
    folder: Path, source: dict[str, Any], boards: Sequence[dict[str, Any]], alarms: dict[str, Any], mounted_at: str
) -> list[Path]:
    """Write all files below `folder`, which Grafana sees as `mounted_at`; return what was written.

    Raise BadConfig where the folder cannot be written.
    """
    files: dict[str, Any] = {
        "datasources/hoflicht.yaml": {"apiVersion": 1, "datasources": [source | {"editable": False}]},
        "dashboards/hoflicht.yaml": {"apiVersion": 1, "providers": [_provider(mounted_at)]},
        **{f"dashboards/{board['uid']}.json": board for board in boards},
    }
    try:
        files[ALARMS] = {"apiVersion": 1, **alarms, **_gone(folder / ALARMS, alarms)}
        return [_write(folder / name, content) for name, content in files.items()]
    except OSError as cause:
        raise BadConfig(f"{folder}: cannot be written ({cause.strerror})") from cause


def from_file(path: str) -> str:
    """The header that InfluxDB 2.7 expects, with the token left in its file: Grafana reads it there (`$__file{…}`)."""
    return f"Token $__file{{{path}}}"


def _gone(before: Path, alarms: dict[str, Any]) -> dict[str, Any]:
    """What an earlier build wrote and this one does not: Grafana keeps it until it is told to delete it."""
    try:
        file = json.loads(before.read_text(encoding="utf-8"))
        rules = _rules(file) | _uids(file["deleteRules"])
        ways = _ways(file) | _uids(file.get("deleteContactPoints", []))
    except FileNotFoundError:
        return {"deleteRules": []}
    except (ValueError, KeyError) as cause:
        raise BadConfig(f"{before}: is not what an earlier build wrote; delete it") from cause
    gone = {"deleteRules": _listed(rules - _rules(alarms))}
    # Grafana does not start where the last way goes that its policy names; so it stays.
    return gone | {"deleteContactPoints": _listed(ways - _ways(alarms))} if _ways(alarms) else gone


def _rules(file: dict[str, Any]) -> set[str]:
    return {uid for group in file["groups"] for uid in _uids(group["rules"])}


def _ways(file: dict[str, Any]) -> set[str]:
    return {uid for contact in file.get("contactPoints", []) for uid in _uids(contact["receivers"])}


def _uids(things: Sequence[dict[str, Any]]) -> set[str]:
    return {thing["uid"] for thing in things}


def _listed(uids: set[str]) -> list[dict[str, Any]]:
    return [{"orgId": ORG, "uid": uid} for uid in sorted(uids)]


def _provider(mounted_at: str) -> dict[str, Any]:
    return {
        "name": "hoflicht",
        "type": "file",
        "folder": FOLDER_TITLE,
        "folderUid": FOLDER_UID,
        "allowUiUpdates": False,  # a change made by hand would be gone after the next start
        "updateIntervalSeconds": RELOAD_S,
        "options": {"path": f"{mounted_at.rstrip('/')}/dashboards"},
    }


def _write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    return path
