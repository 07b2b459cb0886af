"""Boards, data source and alarms as files: what Grafana reads at its start, and what it is told to forget."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboards.boards import boards
from dashboards.command import main
from hoflicht.errors import BadConfig
from tests.conftest import ROOT

BOARDS = sorted(board["uid"] for board in boards())
CITY = str(ROOT / "simulators" / "city.toml")
MAIL = ["--mail-to", "night@example.org;office@example.org"]
AS_THEY_ARE = {"annotations", "model"}  # since Grafana 9.1.5 (grafana/grafana#54293, #54975)


def filled_in(content: Any) -> Iterator[str]:
    """The texts of a file in which Grafana puts variables of its environment."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        yield from (text for key, value in content.items() if key not in AS_THEY_ARE for text in filled_in(value))
    elif isinstance(content, list):
        yield from (text for value in content for text in filled_in(value))


def built(folder: Path, *more: str) -> Any:
    assert main(["build", str(folder), *more]) == 0
    return json.loads((folder / "alerting" / "hoflicht.yaml").read_text(encoding="utf-8"))


def test_the_built_files_hold_what_grafana_reads(tmp_path: Path) -> None:
    code = main(["build", str(tmp_path), "--influx-url", "http://db:8086", "--influx-bucket", "city", "--mounted-at", "/prov"])

    files = {str(path.relative_to(tmp_path)): json.loads(path.read_text()) for path in tmp_path.rglob("*.*")}
    assert code == 0
    assert sorted(files) == [
        "alerting/hoflicht.yaml",
        *(f"dashboards/{uid}.json" for uid in BOARDS),
        "dashboards/hoflicht.yaml",
        "datasources/hoflicht.yaml",
    ]
    [source] = files["datasources/hoflicht.yaml"]["datasources"]
    assert (source["type"], source["url"]) == ("influxdb", "http://db:8086")
    assert (source["database"], source["jsonData"]["dbName"]) == ("city", "city")
    assert source["jsonData"]["httpHeaderName1"] == "Authorization"
    assert source["secureJsonData"]["httpHeaderValue1"] == "Token $__file{/run/secrets/grafana_influx_token}"
    [provider] = files["dashboards/hoflicht.yaml"]["providers"]
    assert provider["options"]["path"] == "/prov/dashboards"


def test_the_built_file_holds_what_grafana_reads(tmp_path: Path) -> None:
    file = built(tmp_path, "--language", "de", "--city", CITY, *MAIL, "--webhook-file", "/run/secrets/webhook")

    assert sorted(file) == ["apiVersion", "contactPoints", "deleteRules", "groups", "policies"]
    assert file["apiVersion"] == 1
    assert [group["name"] for group in file["groups"]] == ["lamps", "yards", "gateways", "platform"]
    [contact] = file["contactPoints"]
    assert (contact["name"], [way["type"] for way in contact["receivers"]]) == ("hoflicht", ["email", "webhook"])
    assert contact["receivers"][1]["settings"] == {"url": "$__file{/run/secrets/webhook}"}
    [policy] = file["policies"]
    assert (policy["orgId"], policy["receiver"], "object_matchers" in policy) == (1, "hoflicht", False)
    assert [branch["repeat_interval"] for branch in policy["routes"]] == ["4h", "1d", "1w"]


def test_a_way_that_an_earlier_build_wrote_and_this_one_does_not_is_deleted_but_the_last(tmp_path: Path) -> None:
    built(tmp_path, *MAIL, "--webhook-file", "/run/secrets/webhook")
    by_mail, again, by_webhook = built(tmp_path, *MAIL), built(tmp_path, *MAIL), built(tmp_path, "--webhook-file", "/run/webhook")
    by_nothing = built(tmp_path)

    assert by_mail["deleteContactPoints"] == again["deleteContactPoints"] == [{"orgId": 1, "uid": "hoflicht-webhook"}]
    assert by_webhook["deleteContactPoints"] == [{"orgId": 1, "uid": "hoflicht-mail"}]
    assert "deleteContactPoints" not in by_nothing


def test_a_path_that_grafana_cannot_follow_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="its whole path"):
        main(["build", str(tmp_path), "--webhook-file", "webhook"])


def test_a_file_without_a_contact_leaves_grafana_its_own(tmp_path: Path) -> None:
    file = built(tmp_path)

    assert sorted(file) == ["apiVersion", "deleteRules", "groups"]
    assert file["deleteRules"] == []


def test_what_an_earlier_build_wrote_and_this_one_does_not_is_deleted_and_may_come_back(tmp_path: Path) -> None:
    built(tmp_path, "--city", CITY)
    without, again, back = built(tmp_path), built(tmp_path), built(tmp_path, "--city", CITY)

    gone = [rule["uid"] for rule in without["deleteRules"]]
    assert "hoflicht-spill-back" in gone
    assert again["deleteRules"] == without["deleteRules"]
    assert [rule["uid"] for rule in back["deleteRules"]] == ["hoflicht-dark"]


@pytest.mark.parametrize("content", ["groups: []\n", '{"groups": []}'])
def test_a_file_that_is_not_ours_is_not_overwritten(content: str, tmp_path: Path) -> None:
    (tmp_path / "alerting").mkdir()
    (tmp_path / "alerting" / "hoflicht.yaml").write_text(content)

    with pytest.raises(BadConfig, match="not what an earlier build wrote"):
        main(["build", str(tmp_path)])


def test_no_text_is_taken_for_a_variable_but_the_files_with_secrets(tmp_path: Path) -> None:
    built(tmp_path, "--language", "de", "--city", CITY, *MAIL, "--webhook-file", "/run/secrets/webhook")

    files = [json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.rglob("*.yaml")]
    assert sorted(text for file in files for text in filled_in(file) if "$" in text) == [
        "$__file{/run/secrets/webhook}",
        "Token $__file{/run/secrets/grafana_influx_token}",
    ]


def test_an_address_without_scheme_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="expected http"):
        main(["build", str(tmp_path), "--influx-url", "influxdb:8086"])
