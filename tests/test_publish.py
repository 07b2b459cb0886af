"""Boards and data source on a running Grafana: made once, drift is told, pushing twice changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.boards import boards
from dashboards.command import main
from dashboards.drift import differences
from hoflicht.errors import BadConfig
from tests.grafana import TOKEN, StandIn, serving

BOARDS = sorted(board["uid"] for board in boards())


@pytest.fixture
def grafana() -> Iterator[tuple[StandIn, str]]:
    state = StandIn()
    with serving(state) as url:
        yield state, url


@pytest.fixture
def tokens(tmp_path: Path) -> list[str]:
    """The options that name the token files."""
    (tmp_path / "grafana-token").write_text(f"{TOKEN}\n")
    (tmp_path / "influx-token").write_text("first\n")
    return ["--token-file", str(tmp_path / "grafana-token"), "--influx-token-file", str(tmp_path / "influx-token")]


def test_the_first_push_makes_everything(
    grafana: tuple[StandIn, str], tokens: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    state, url = grafana

    code = main(["push", "--url", url, *tokens])

    assert code == 0
    assert sorted(state.boards) == BOARDS
    source = state.sources["hoflicht-influxdb"]
    earlier, later = source["database"], source["jsonData"]["dbName"]  # where releases of Grafana 9 look
    assert (earlier, later) == ("hoflicht", "hoflicht")
    assert capsys.readouterr().out.splitlines()[:2] == ["made: folder 'hoflicht'", "made: data source"]


def test_the_second_push_changes_nothing(
    grafana: tuple[StandIn, str], tokens: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    state, url = grafana
    main(["push", "--url", url, *tokens])
    state.writes.clear()
    capsys.readouterr()

    code = main(["push", "--url", url, *tokens])

    assert code == 0
    assert state.writes == []
    assert capsys.readouterr().out == f"nothing to change: {url} has it all\n"


def test_a_board_changed_by_hand_is_told_and_put_right(
    grafana: tuple[StandIn, str], tokens: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    state, url = grafana
    main(["push", "--url", url, *tokens])
    state.boards["hoflicht-yards"]["dashboard"]["panels"][1]["title"] = "Wartezeit"
    state.writes.clear()
    capsys.readouterr()

    before = main(["diff", "--url", url, *tokens])
    told = capsys.readouterr().out
    main(["push", "--url", url, *tokens])
    after = main(["diff", "--url", url, *tokens])

    assert (before, after) == (1, 0)
    assert told == "board 'Recycling yards': panels[1].title: 'Wartezeit' on the server, 'Wait' here\n"
    assert state.writes == ["POST /dashboards/db"]


def test_a_new_token_is_seen_although_grafana_never_tells_the_old_one(
    grafana: tuple[StandIn, str], tokens: list[str], tmp_path: Path
) -> None:
    state, url = grafana
    main(["push", "--url", url, *tokens])
    (tmp_path / "influx-token").write_text("second\n")
    state.writes.clear()

    code = main(["push", "--url", url, *tokens])

    assert code == 0
    assert state.writes == ["PUT /datasources/uid/hoflicht-influxdb"]


def test_a_folder_renamed_by_hand_is_told_and_gets_its_name_back(
    grafana: tuple[StandIn, str], tokens: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    state, url = grafana
    main(["push", "--url", url, *tokens])
    state.folders["hoflicht"]["title"] = "Old boards"
    capsys.readouterr()

    code = main(["diff", "--url", url, *tokens])
    told = capsys.readouterr().out
    main(["push", "--url", url, *tokens])

    assert (code, told) == (1, "folder 'hoflicht': title: 'Old boards' on the server, 'hoflicht' here\n")
    assert state.folders["hoflicht"]["title"] == "hoflicht"


def test_a_data_source_from_a_file_is_not_pushed_over(grafana: tuple[StandIn, str], tokens: list[str], tmp_path: Path) -> None:
    state, url = grafana
    main(["push", "--url", url, *tokens])
    state.sources["hoflicht-influxdb"]["readOnly"] = True
    (tmp_path / "influx-token").write_text("second\n")

    with pytest.raises(BadConfig, match="data source is from a file of that Grafana; files and push do not go together"):
        main(["push", "--url", url, *tokens])


def test_a_board_from_a_file_is_not_pushed_over(grafana: tuple[StandIn, str], tokens: list[str]) -> None:
    state, url = grafana
    main(["push", "--url", url, *tokens])
    state.boards["hoflicht-yards"]["meta"]["provisioned"] = True
    state.boards["hoflicht-yards"]["dashboard"]["title"] = "Wertstoffhöfe"

    with pytest.raises(
        BadConfig, match="board 'Recycling yards' is from a file of that Grafana; files and push do not go together"
    ):
        main(["push", "--url", url, *tokens])


def test_without_its_token_the_data_source_is_left_alone(grafana: tuple[StandIn, str], tokens: list[str]) -> None:
    state, url = grafana

    code = main(["push", "--url", url, *tokens[:2]])

    assert code == 0
    assert state.sources == {}
    assert len(state.boards) == len(BOARDS)


def test_boards_are_locked_unless_asked_otherwise(grafana: tuple[StandIn, str], tokens: list[str]) -> None:
    state, url = grafana

    main(["push", "--url", url, *tokens])
    locked = state.boards["hoflicht-lamps"]["dashboard"]["editable"]
    main(["push", "--url", url, *tokens, "--editable"])

    assert locked is False
    assert state.boards["hoflicht-lamps"]["dashboard"]["editable"] is True


def test_a_wrong_token_says_where_to_get_one(grafana: tuple[StandIn, str], tmp_path: Path) -> None:
    _, url = grafana
    (tmp_path / "wrong").write_text("glsa_another")

    with pytest.raises(BadConfig, match="does not take the token; make one under Administration, Service accounts"):
        main(["push", "--url", url, "--token-file", str(tmp_path / "wrong")])


def test_a_token_that_may_only_look_says_which_role_it_needs(grafana: tuple[StandIn, str], tokens: list[str]) -> None:
    state, url = grafana
    state.role = "Viewer"

    with pytest.raises(BadConfig, match="needs the role Admin"):
        main(["push", "--url", url, *tokens])


def test_a_grafana_that_is_away_is_one_line_and_exit_code_1(tokens: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["push", "--url", "http://127.0.0.1:1", *tokens])

    assert code == 1
    assert capsys.readouterr().err.startswith("hoflicht dashboards: no answer from http://127.0.0.1:1; is Grafana running")


def test_a_file_that_holds_no_token_is_told(tokens: list[str], tmp_path: Path) -> None:
    (tmp_path / "grafana-token").write_text("Dear colleague,\nthe token is\n")

    with pytest.raises(BadConfig, match="holds no token"):
        main(["push", "--url", "http://127.0.0.1:1", *tokens])


def test_what_the_server_adds_is_no_difference() -> None:
    found = {"id": 4, "version": 9, "schemaVersion": 42, "panels": [{"id": 1, "title": "a", "transparent": False}]}
    wanted = {"schemaVersion": 36, "panels": [{"id": 1, "title": "a"}]}

    assert differences(found, wanted) == []


def test_a_panel_more_or_renumbered_is_a_difference() -> None:
    wanted = {"panels": [{"id": 1}, {"id": 2}]}

    assert differences({"panels": [{"id": 1}]}, wanted) == ["panels: 1 on the server, 2 here"]
    assert differences({"panels": [{"id": 1}, {"id": 3}]}, wanted) == ["panels[1].id: 3 on the server, 2 here"]
