"""Alarms on a running Grafana: folder, rules, contact point and policy, by its provisioning API (Grafana 9.1 to 13).

What comes by this API is locked in Grafana's own pages, unless `X-Disable-Provenance` says otherwise, which is heeded for rules
since 9.3, for the rest since 9.5 (grafana/grafana#58410, #63650). What is locked cannot be unlocked, only made anew (#74558).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from dashboards.contacts import NAME, WAYS, Contacts, planted, receivers, route
from dashboards.datasource import fingerprint
from dashboards.drift import JsonObject, Part, kept_in_a_file
from dashboards.rules import EVERY_S, FOLDER_TITLE, FOLDER_UID, Group

API = "/v1/provisioning"
RULES = f"{API}/alert-rules"
CONTACTS = f"{API}/contact-points"
POLICY = f"{API}/policies"
LOCKED: Mapping[str, str] = {}
UNLOCKED: Mapping[str, str] = {"X-Disable-Provenance": "true"}
BY_API, BY_FILE = "api", "file"  # the provenance of what is locked
HIDDEN = "[REDACTED]"  # what newer releases show of a secret


class Server(Protocol):
    """What is needed of dashboards.publish.Grafana."""

    def folder(self, uid: str, title: str) -> Part: ...
    def get(self, path: str) -> Any: ...
    def post(self, path: str, body: JsonObject, headers: Mapping[str, str]) -> None: ...
    def put(self, path: str, body: JsonObject, headers: Mapping[str, str]) -> None: ...
    def delete(self, path: str) -> None: ...


def parts(server: Server, rules: Sequence[JsonObject], contacts: Contacts, *, editable: bool) -> Iterator[Part]:
    """All of it, each asked for in its turn; without a contact nothing is said about whom to tell."""
    yield server.folder(FOLDER_UID, FOLDER_TITLE)
    for rule in rules:
        yield _rule(server, rule, editable)
    for group in Group:
        yield _group(server, group, [rule for rule in rules if rule["ruleGroup"] == group], editable)
    ways = receivers(contacts)
    for way in ways:
        yield _contact(server, way, editable)
    if ways:
        yield _no_other(server, ways)
        yield _policy(server)


def _rule(server: Server, rule: JsonObject, editable: bool) -> Part:
    path, headers = f"{RULES}/{rule['uid']}", UNLOCKED if editable else LOCKED
    wanted = {key: value for key, value in rule.items() if key != "orgID"}  # Grafana takes the token's own
    wanted |= {"provenance": "" if editable else BY_API}
    found = server.get(path)
    if found is None:
        return Part(_name(rule), None, wanted, partial(server.post, RULES, rule, headers))
    found = {"provenance": "", "isPaused": False} | found  # what is empty is not told, and what is not known before Grafana 9.4
    if found["provenance"] == BY_FILE:
        return Part(_name(rule), found, wanted, partial(kept_in_a_file, _name(rule)))
    if editable and found["provenance"] == BY_API:
        return Part(_name(rule), found, wanted, partial(_made_anew, server, path, rule))
    return Part(_name(rule), found, wanted, partial(server.put, path, rule, headers))


def _made_anew(server: Server, path: str, rule: JsonObject) -> None:
    server.delete(path)
    server.post(RULES, rule, UNLOCKED)


def _group(server: Server, group: Group, rules: Sequence[JsonObject], editable: bool) -> Part:
    """How often its rules are looked at, and that there are no others: those of an older release, of a street that is no more."""
    path = f"{API}/folder/{FOLDER_UID}/rule-groups/{group}"
    ours = {rule["uid"] for rule in rules}
    wanted = {"interval": EVERY_S, "others": ""}
    found = server.get(path)
    others = [] if found is None else [rule for rule in found["rules"] if rule["uid"] not in ours]
    body = {"title": str(group), "folderUid": FOLDER_UID, "interval": EVERY_S, "rules": list(rules)}

    def save() -> None:
        for rule in others:
            server.delete(f"{RULES}/{rule['uid']}")
        if found is None or found["interval"] != EVERY_S:
            server.put(path, body, UNLOCKED if editable else LOCKED)

    seen = None if found is None else {"interval": found["interval"], "others": ", ".join(rule["title"] for rule in others)}
    return Part(f"alarms of group {str(group)!r}", seen, wanted, save)


def _contact(server: Server, way: JsonObject, editable: bool) -> Part:
    name = f"contact point {NAME!r} ({way['type']})"
    found = next((one for one in server.get(CONTACTS) or [] if one["uid"] == way["uid"]), None)
    if found is None:
        return Part(name, None, way, partial(server.post, CONTACTS, way, UNLOCKED if editable else LOCKED))
    save = partial(server.put, f"{CONTACTS}/{way['uid']}", way, _as_it_was(found, editable))
    if found.get("provenance") == BY_FILE:
        save = partial(kept_in_a_file, name)
    hidden = {key for key, value in found["settings"].items() if value == HIDDEN}
    return Part(name, _disguised(found, hidden), _disguised(way, hidden), save)


def _no_other(server: Server, ways: Sequence[JsonObject]) -> Part:
    """That nobody is told any more by a way that is named no longer; what people have added in Grafana stays."""
    gone = WAYS - {way["uid"] for way in ways}
    others = [one for one in server.get(CONTACTS) or [] if one["uid"] in gone]

    def save() -> None:
        for one in others:
            server.delete(f"{CONTACTS}/{one['uid']}")

    return Part(f"contact point {NAME!r}", {"others": ", ".join(one["type"] for one in others)}, {"others": ""}, save)


def _policy(server: Server) -> Part:
    """Our branch, in the tree that is there; the tree stays as locked as it was, for it belongs to everybody."""
    name, tree = "notification policy", server.get(POLICY) or {}
    ours = [branch for branch in tree.get("routes") or [] if branch.get("receiver") == NAME]
    save = partial(server.put, POLICY, planted(tree), _as_it_was(tree, editable=True))
    if tree.get("provenance") == BY_FILE:
        save = partial(kept_in_a_file, name)
    return Part(name, {"branches": ours} if ours else None, {"branches": [route()]}, save)


def _as_it_was(found: JsonObject, editable: bool) -> Mapping[str, str]:
    return LOCKED if found.get("provenance") == BY_API or not editable else UNLOCKED


def _disguised(way: JsonObject, hidden: set[str]) -> JsonObject:
    """To be compared and shown: the address of a webhook is a secret."""
    settings = {key: fingerprint(value) if key == "url" else value for key, value in way["settings"].items() if key not in hidden}
    return way | {"settings": settings}


def _name(rule: JsonObject) -> str:
    return f"alarm {rule['title']!r}"
