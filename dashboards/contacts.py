"""Who is told of an alarm, and how often: contact point and notification policy."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from dashboards.drift import JsonObject
from dashboards.rules import ORG, OURS, duration
from hoflicht.errors import BadConfig

NAME = "hoflicht"  # of the contact point; what has this name belongs together in Grafana
MAIL_UID, WEBHOOK_UID = "hoflicht-mail", "hoflicht-webhook"
WAYS = frozenset({MAIL_UID, WEBHOOK_UID})
ADDRESSES = re.compile(r"[^@\s;$]+@[^@\s;$]+(;[^@\s;$]+@[^@\s;$]+)*")
# Grafana reads a file that is named so by itself; what follows any other dollar it takes for a variable.
WEBHOOK = re.compile(r"(https?://[^\s$]+|\$__file\{/[^\s$}]+\})")
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
# By severity, again after: who did not act in the night is told at breakfast, a bulb for the next tour is no daily letter.
AGAIN_S: Mapping[str, int] = {"high": 4 * HOUR_S, "medium": DAY_S, "low": 7 * DAY_S}


class Contacts(msgspec.Struct, frozen=True):
    """Where alarms go; both may be empty, and then nothing is said about it to Grafana."""

    mail: str = ""  # addresses, with semicolons between
    webhook: str = ""  # its address, which is a secret, or the file in which Grafana finds it


def check(contacts: Contacts) -> None:
    """Raise BadConfig where mail or webhook cannot be one; what is secret is not shown."""
    if contacts.mail and not ADDRESSES.fullmatch(contacts.mail):
        raise BadConfig(f'--mail-to {contacts.mail!r}: expected addresses, as in "night@example.org;office@example.org"')
    if contacts.webhook and not WEBHOOK.fullmatch(contacts.webhook):
        raise BadConfig(
            "--webhook-file: expected a file that holds an http(s) address; for `build` its whole path, as Grafana sees it"
        )


def receivers(contacts: Contacts) -> list[JsonObject]:
    """One for each way, as the API takes them."""
    ways = []
    if contacts.mail:
        ways.append({"uid": MAIL_UID, "type": "email", "settings": {"addresses": contacts.mail, "singleEmail": True}})
    if contacts.webhook:
        ways.append({"uid": WEBHOOK_UID, "type": "webhook", "settings": {"url": contacts.webhook}})
    return [way | {"name": NAME, "disableResolveMessage": False} for way in ways]


def route() -> JsonObject:
    """Our branch of the notification policy: one message for each kind of alarm, however many lamps it concerns."""
    return {
        "receiver": NAME,
        "object_matchers": [[OURS, "=", "yes"]],
        "group_by": ["alertname"],
        "group_wait": duration(MINUTE_S),  # a dark street is one message
        "group_interval": duration(5 * MINUTE_S),
        "repeat_interval": duration(AGAIN_S["medium"]),
        "routes": [
            {"receiver": NAME, "object_matchers": [["severity", "=", severity]], "repeat_interval": duration(again_s)}
            for severity, again_s in AGAIN_S.items()
        ],
    }


def planted(tree: JsonObject) -> JsonObject:
    """The policy of a whole Grafana with our branch in it, in front, and all others as they are."""
    others = [branch for branch in tree.get("routes") or [] if branch.get("receiver") != NAME]
    return tree | {"routes": [route(), *others]}


def for_file(contacts: Contacts) -> JsonObject:
    """Contact point and policy as a provisioning file has them; the whole policy, for a file can set no branch of it."""
    ways = receivers(contacts)
    if not ways:
        return {}
    policy = {key: value for key, value in route().items() if key != "object_matchers"}
    return {"contactPoints": [{"orgId": ORG, "name": NAME, "receivers": _unnamed(ways)}], "policies": [{"orgId": ORG, **policy}]}


def _unnamed(ways: Sequence[JsonObject]) -> list[JsonObject]:
    return [{key: value for key, value in way.items() if key != "name"} for way in ways]
