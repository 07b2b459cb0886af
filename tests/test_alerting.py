"""Alarms on a running Grafana: made once, drift is told and put right, what others have there stays theirs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.alarms import alarms
from dashboards.command import main
from dashboards.rules import for_api
from hoflicht.catalogue import load_city
from hoflicht.errors import BadConfig
from tests.conftest import ROOT
from tests.grafana import TOKEN, StandIn, is_rule, serving

CITY = str(ROOT / "simulators" / "city.toml")
MAIL = ["--mail-to", "night@example.org;office@example.org"]
LAMP = "hoflicht-lamp-failure"
RULE = "/v1/provisioning/alert-rules"
SECRET = "https://chat.example.org/hook/abcdefg-secret"


@pytest.fixture
def state() -> StandIn:
    return StandIn()


@pytest.fixture
def options(state: StandIn, tmp_path: Path) -> Iterator[list[str]]:
    """The address of a Grafana, and the options that name it and a token."""
    (tmp_path / "token").write_text(TOKEN)
    with serving(state) as url:
        yield ["--url", url, "--token-file", str(tmp_path / "token")]


def pushed(state: StandIn, options: list[str]) -> list[str]:
    """What a push wrote about alarms."""
    state.writes.clear()
    assert main(["push", *options]) == 0
    return [write for write in state.writes if "/provisioning/" in write]


def told(options: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What diff says; its exit code must go with it."""
    capsys.readouterr()
    code = main(["diff", *options])
    lines = capsys.readouterr().out.splitlines()
    assert code == (1 if lines else 0)
    return lines


def test_the_first_push_makes_every_alarm_and_says_whom_to_tell(state: StandIn, options: list[str]) -> None:
    pushed(state, [*options, *MAIL, "--city", CITY, "--language", "de", "--runbook", "https://wiki.example.org/hoflicht"])

    assert set(state.rules) == {rule.uid for rule in alarms(load_city(Path(CITY)))}
    lamp = state.rules[LAMP]
    assert (lamp["title"], lamp["folderUID"], lamp["ruleGroup"], lamp["for"]) == (
        "Lampe leuchtet nicht",
        "hoflicht-alarms",
        "lamps",
        "5m",
    )
    assert lamp["annotations"]["runbook_url"] == "https://wiki.example.org/hoflicht#lamp-failure"
    assert state.folders["hoflicht-alarms"]["title"] == "hoflicht alarms"
    assert state.contacts["hoflicht-mail"]["settings"] == {"addresses": MAIL[1], "singleEmail": True}
    assert [branch["receiver"] for branch in state.policy["routes"]] == ["hoflicht"]


def test_the_second_push_writes_nothing(state: StandIn, options: list[str], tmp_path: Path) -> None:
    (tmp_path / "webhook").write_text(SECRET)
    everything = [*options, *MAIL, "--webhook-file", str(tmp_path / "webhook"), "--city", CITY]
    pushed(state, everything)

    assert pushed(state, everything) == []
    assert state.writes == []
    assert state.rules[LAMP]["orgID"] == 7  # the token's own, and no difference


def test_an_older_grafana_that_knows_no_pause_is_content_too(state: StandIn, options: list[str]) -> None:
    state.knows_pause = False
    pushed(state, options)

    assert pushed(state, options) == []


def test_an_alarm_that_somebody_has_paused_is_told(state: StandIn, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    pushed(state, options)
    state.rules[LAMP]["isPaused"] = True

    assert told(options, capsys) == ["alarm 'Lamp does not light': isPaused: True on the server, False here"]


def test_diff_on_an_empty_server_names_everything_and_writes_nothing(
    state: StandIn, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = told([*options, *MAIL], capsys)

    assert "folder 'hoflicht alarms': not on the server" in lines
    assert "alarm 'Lamp does not light': not on the server" in lines
    assert "contact point 'hoflicht' (email): not on the server" in lines
    assert "notification policy: not on the server" in lines
    assert state.writes == []


def test_an_alarm_changed_by_hand_is_told_and_put_right(
    state: StandIn, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    pushed(state, [*options, "--editable"])
    state.rules[LAMP]["data"][2]["model"]["expression"] = "$X > 99"
    state.rules[LAMP]["for"] = "3d"

    lines = told([*options, "--editable"], capsys)

    assert lines == [
        "alarm 'Lamp does not light': data[2].model.expression: '$X > 99' on the server, '$X > 0.5' here",
        "alarm 'Lamp does not light': for: '3d' on the server, '5m' here",
    ]
    assert pushed(state, [*options, "--editable"]) == [f"PUT {RULE}/{LAMP}"]
    assert told([*options, "--editable"], capsys) == []


def test_an_alarm_that_somebody_has_deleted_comes_back(state: StandIn, options: list[str]) -> None:
    pushed(state, options)
    del state.rules[LAMP]

    assert pushed(state, options) == [f"POST {RULE}"]
    assert LAMP in state.rules


def test_an_alarm_of_a_street_that_is_no_more_is_told_and_deleted(
    state: StandIn, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    pushed(state, [*options, "--city", CITY])
    gone = set(state.rules)

    lines = told(options, capsys)
    pushed(state, options)

    assert (
        "alarms of group 'yards': others: 'Queue reaches the road, Counters drift apart: hof-nord' on the server, '' here" in lines
    )
    assert set(state.rules) == {rule.uid for rule in alarms()}
    assert len(gone - set(state.rules)) == 4
    assert told(options, capsys) == []


def test_how_often_alarms_are_looked_at_is_put_right(
    state: StandIn, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    pushed(state, options)
    state.intervals["gateways"] = 3_600

    assert told(options, capsys) == ["alarms of group 'gateways': interval: 3600 on the server, 60 here"]
    assert pushed(state, options) == ["PUT /v1/provisioning/folder/hoflicht-alarms/rule-groups/gateways"]
    assert state.intervals["gateways"] == 60


def test_alarms_are_locked_unless_asked_otherwise_and_can_be_unlocked_and_locked_again(state: StandIn, options: list[str]) -> None:
    pushed(state, options)
    locked = {rule.get("provenance") for rule in state.rules.values()}
    pushed(state, [*options, "--editable"])
    unlocked = {rule.get("provenance") for rule in state.rules.values()}
    still = pushed(state, [*options, "--editable"])
    pushed(state, options)

    assert (locked, unlocked, still) == ({"api"}, {None}, [])
    assert {rule.get("provenance") for rule in state.rules.values()} == {"api"}


def test_a_grafana_that_unlocks_nothing_but_rules_is_content_too(state: StandIn, options: list[str]) -> None:
    state.unlocks = frozenset({"alert-rules"})
    editable = [*options, *MAIL, "--editable"]
    pushed(state, [*editable, "--city", CITY])

    pushed(state, editable)

    assert pushed(state, editable) == []
    assert {rule.get("provenance") for rule in state.rules.values()} == {None}


def test_an_alarm_from_a_file_is_not_pushed_over(state: StandIn, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    pushed(state, options)
    state.rules[LAMP]["provenance"] = "file"

    assert told(options, capsys) == ["alarm 'Lamp does not light': provenance: 'file' on the server, 'api' here"]
    with pytest.raises(BadConfig, match="files and push do not go together"):
        main(["push", *options])


def test_what_others_have_in_the_notification_policy_stays(state: StandIn, options: list[str]) -> None:
    theirs = {"receiver": "the-other-team", "object_matchers": [["team", "=", "water"]]}
    state.policy |= {"routes": [theirs], "repeat_interval": "8h"}

    pushed(state, [*options, *MAIL])

    assert state.policy["routes"][1:] == [theirs]
    assert state.policy["routes"][0]["object_matchers"] == [["hoflicht", "=", "yes"]]
    assert (state.policy["receiver"], state.policy["repeat_interval"]) == ("grafana-default-email", "8h")
    assert "provenance" not in state.policy


def test_a_policy_that_is_locked_stays_so(state: StandIn, options: list[str]) -> None:
    state.policy["provenance"] = "api"

    pushed(state, [*options, *MAIL, "--editable"])

    assert state.policy["provenance"] == "api"


def test_whom_a_file_tells_is_not_pushed_over(state: StandIn, options: list[str]) -> None:
    pushed(state, [*options, *MAIL])
    state.contacts["hoflicht-mail"]["provenance"] = "file"
    with pytest.raises(BadConfig, match=r"contact point 'hoflicht' \(email\) is from a file"):
        main(["push", *options, "--mail-to", "day@example.org"])

    state.policy = {"receiver": "hoflicht", "provenance": "file"}
    with pytest.raises(BadConfig, match="notification policy is from a file"):
        main(["push", *options, *MAIL])


def test_without_a_contact_nothing_is_said_about_whom_to_tell(state: StandIn, options: list[str]) -> None:
    writes = pushed(state, options)

    assert not [write for write in writes if "contact-points" in write or "policies" in write]
    assert "routes" not in state.policy


def test_the_mail_address_may_come_from_the_environment(
    state: StandIn, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOFLICHT_ALARM_MAIL", "night@example.org")

    pushed(state, options)

    assert state.contacts["hoflicht-mail"]["settings"]["addresses"] == "night@example.org"


def test_another_address_is_told_and_changed(state: StandIn, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    pushed(state, [*options, *MAIL])
    other = ["--mail-to", "day@example.org"]

    assert told([*options, *other], capsys) == [
        "contact point 'hoflicht' (email): settings.addresses: "
        "'night@example.org;office@example.org' on the server, 'day@example.org' here"
    ]
    assert pushed(state, [*options, *other]) == ["PUT /v1/provisioning/contact-points/hoflicht-mail"]


def test_a_way_that_is_named_no_longer_is_told_and_goes(
    state: StandIn, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "webhook").write_text(SECRET)
    by_webhook = [*options, "--webhook-file", str(tmp_path / "webhook")]
    pushed(state, [*options, *MAIL])
    state.contacts["by-hand"] = {"uid": "by-hand", "name": "hoflicht", "type": "pager", "settings": {}}

    lines = told(by_webhook, capsys)
    pushed(state, by_webhook)

    assert "contact point 'hoflicht': others: 'email' on the server, '' here" in lines
    assert sorted(state.contacts) == ["by-hand", "hoflicht-webhook"]
    assert told(by_webhook, capsys) == []


def test_a_contact_is_locked_unless_asked_otherwise_and_then_stays_as_it_is(state: StandIn, options: list[str]) -> None:
    pushed(state, [*options, *MAIL])
    locked = state.contacts.pop("hoflicht-mail")
    pushed(state, [*options, *MAIL, "--editable"])
    unlocked = state.contacts["hoflicht-mail"]
    state.contacts["hoflicht-mail"] = locked
    pushed(state, [*options, "--editable", "--mail-to", "day@example.org"])

    assert (locked["provenance"], "provenance" in unlocked) == ("api", False)
    assert state.contacts["hoflicht-mail"]["settings"]["addresses"] == "day@example.org"
    assert state.contacts["hoflicht-mail"]["provenance"] == "api"


def test_the_address_of_a_webhook_is_a_secret(
    state: StandIn, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "webhook").write_text(SECRET)
    with_webhook = [*options, "--webhook-file", str(tmp_path / "webhook")]
    pushed(state, with_webhook)
    state.contacts["hoflicht-webhook"]["settings"]["url"] = "https://elsewhere.example.org/other-secret"

    [line] = told(with_webhook, capsys)

    assert line.startswith("contact point 'hoflicht' (webhook): settings.url: ")
    assert "secret" not in line
    assert pushed(state, with_webhook) == ["PUT /v1/provisioning/contact-points/hoflicht-webhook"]
    assert state.contacts["hoflicht-webhook"]["settings"]["url"] == SECRET


def test_what_the_server_hides_is_no_difference(
    state: StandIn, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "webhook").write_text(SECRET)
    with_webhook = [*options, "--webhook-file", str(tmp_path / "webhook")]
    pushed(state, with_webhook)
    state.contacts["hoflicht-webhook"]["settings"]["url"] = "[REDACTED]"

    assert told(with_webhook, capsys) == []


@pytest.mark.parametrize("wrong", ["nobody", "a@b c@d", "a@b;", "$MAIL@example.org", "night@example.org, day@example.org"])
def test_what_is_no_mail_address_is_a_mistake(wrong: str, options: list[str]) -> None:
    with pytest.raises(BadConfig, match="--mail-to"):
        main(["push", *options, "--mail-to", wrong])


def test_a_file_without_the_address_of_a_webhook_is_a_mistake_and_is_not_shown(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "webhook").write_text("abcdefg-secret")

    with pytest.raises(BadConfig, match="a file that holds an http") as mistake:
        main(["push", *options, "--webhook-file", str(tmp_path / "webhook")])

    assert "secret" not in str(mistake.value)


def test_a_token_that_may_not_make_alarms_says_which_role_it_needs(state: StandIn, options: list[str]) -> None:
    state.role = "Viewer"

    with pytest.raises(BadConfig, match="needs the role Admin"):
        main(["push", *options])


@pytest.mark.parametrize(
    ("field", "value"),
    [("for", "5 minutes"), ("noDataState", "Ok"), ("isPaused", "no"), ("folderUid", "x"), ("uid", "a b"), ("condition", "Q")],
)
def test_the_stand_in_takes_no_rule_that_grafana_would_not_understand(field: str, value: str) -> None:
    rule = for_api(alarms()[0], "en", "")

    assert is_rule(rule)
    assert not is_rule(rule | {field: value})
