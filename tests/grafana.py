"""A small stand-in for Grafana: what its HTTP API documents of folders, data sources, boards and alerting, over real HTTP.

It is stricter than Grafana, which leaves aside what it does not know: here a field that no release has is a bad request, as is one
of another type. Of alerting also what only its source tells: a 404 and a 204 have no body, the token's organisation counts and not
the one that is sent, and what was locked by the API or comes from a file (provenance) is changed by nobody else.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "glsa_a-token-for-tests"
TOKENS_ORG = 7
EVERYTHING = frozenset({"alert-rules", "folder", "contact-points", "policies"})
UID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
DURATION = re.compile(r"0s|[1-9]\d*(ms|[smhdwy])")
EXPRESSION = "__expr__"
MISMATCH = 500, {"message": "cannot change provenance"}  # 409 or 403 since 2026
NOTHING = 404, None
Answer = tuple[int, Any]
Shape = Mapping[str, type]

FOLDER: Shape = {"uid": str, "title": str}
RENAMED: Shape = {"title": str, "overwrite": bool}
SOURCE: Shape = {
    **dict.fromkeys(("name", "uid", "type", "access", "url", "database"), str),
    **dict.fromkeys(("jsonData", "secureJsonData"), dict),
    "isDefault": bool,
}
BOARD: Shape = {"dashboard": dict, "folderUid": str, "overwrite": bool, "message": str}
RULE: Shape = {
    **dict.fromkeys(("uid", "title", "ruleGroup", "folderUID", "condition", "noDataState", "execErrState", "for"), str),
    **dict.fromkeys(("annotations", "labels"), dict),
    "orgID": int,
    "data": list,
    "isPaused": bool,
}
QUERY: Shape = {"refId": str, "queryType": str, "datasourceUid": str, "relativeTimeRange": dict, "model": dict}
GROUP: Shape = {"title": str, "folderUid": str, "interval": int, "rules": list}
CONTACT: Shape = {**dict.fromkeys(("uid", "name", "type"), str), "settings": dict, "disableResolveMessage": bool}
SETTINGS: Mapping[str, Shape] = {"email": {"addresses": str, "singleEmail": bool}, "webhook": {"url": str}}
ROUTE: Shape = {
    **dict.fromkeys(("receiver", "group_wait", "group_interval", "repeat_interval", "provenance"), str),
    **dict.fromkeys(("object_matchers", "group_by", "routes"), list),
}
NO_DATA, TROUBLE = {"OK", "NoData", "Alerting"}, {"OK", "Error", "Alerting"}  # in Grafana 9 there is no more


def fits(body: Any, shape: Shape) -> bool:
    """Whether Grafana reads all of `body`, and as what it was meant."""
    return all(key in shape and type(value) is shape[key] for key, value in body.items())


def is_rule(rule: Any) -> bool:
    """Whether a release of Grafana from 9.1 on takes it."""
    return (
        fits(rule, RULE)
        and rule.keys() == RULE.keys()
        and all(fits(query, QUERY) and _in_time(query) for query in rule["data"])
        and rule["condition"] in {query["refId"] for query in rule["data"]}
        and (rule["noDataState"] in NO_DATA and rule["execErrState"] in TROUBLE)
        and UID.fullmatch(rule["uid"]) is not None
        and DURATION.fullmatch(rule["for"]) is not None
        and 1 <= len(rule["title"]) <= 190
    )


def _in_time(query: Any) -> bool:
    return bool(query["datasourceUid"] == EXPRESSION or query["relativeTimeRange"]["from"] > query["relativeTimeRange"]["to"])


def is_route(route: Any, receivers: set[str]) -> bool:
    """Whether it, and all below it, can be a branch of the notification policy."""
    durations = [value for key, value in route.items() if key.endswith(("_wait", "_interval"))]
    return (
        fits(route, ROUTE)
        and route["receiver"] in receivers
        and all(DURATION.fullmatch(value) and value != "0s" for value in durations)
        and all(len(matcher) == 3 and matcher[1] in {"=", "!=", "=~", "!~"} for matcher in route.get("object_matchers", []))
        and all(is_route(branch, receivers) for branch in route.get("routes", []))
    )


class StandIn:
    """Its state, in plain dictionaries; `writes` are the requests that were no GET."""

    def __init__(self) -> None:
        self.folders: dict[str, Any] = {}
        self.sources: dict[str, Any] = {}
        self.boards: dict[str, Any] = {}
        self.rules: dict[str, Any] = {}
        self.intervals: dict[str, int] = {}
        self.contacts: dict[str, Any] = {}
        self.policy: dict[str, Any] = {"receiver": "grafana-default-email", "group_by": ["grafana_folder", "alertname"]}
        self.writes: list[str] = []
        self.role = "Admin"
        self.knows_pause = True  # Grafana before 9.4 does not
        self.unlocks = EVERYTHING  # before 9.5 rules alone, before 9.3 nothing

    def answer(self, method: str, path: str, body: Any, is_unlocked: bool) -> Answer:
        if method != "GET":
            self.writes.append(f"{method} {path}")
            if self.role != "Admin":
                return 403, {"message": "You'll need additional permissions to perform this action"}
        alerting = re.fullmatch(r"/v1/provisioning/(alert-rules|contact-points|policies|folder)/?(.*)", path)
        if alerting:
            serve: Callable[[str, Any, str], Answer] = getattr(self, f"_{method.lower()}_{alerting[1].replace('-', '_')}")
            return serve(alerting[2], body, "" if is_unlocked and alerting[1] in self.unlocks else "api")
        kind, _, uid = path.strip("/").replace("/uid/", "/").partition("/")
        if method == "GET":
            found = {"folders": self.folders, "datasources": self.sources, "dashboards": self.boards}[kind].get(uid)
            return (404, {"message": "Not found"}) if found is None else (200, found)
        saves: dict[str, Callable[[str, Any], Answer]] = {
            "POST folders": self._make_folder,
            "PUT folders": self._rename_folder,
            "POST datasources": self._save_source,
            "PUT datasources": self._save_source,
            "POST dashboards": self._save_board,
        }
        return saves[f"{method} {kind}"](uid, body)

    def _make_folder(self, _uid: str, body: Any) -> Answer:
        if not fits(body, FOLDER) or body["uid"] in self.folders:
            return 400, {"message": "bad request data"}
        self.folders[body["uid"]] = {"id": 1, **body}
        return 200, self.folders[body["uid"]]

    def _rename_folder(self, uid: str, body: Any) -> Answer:
        if not fits(body, RENAMED):
            return 400, {"message": "bad request data"}
        if not body.get("overwrite"):
            return 412, {"message": "the folder has been changed by someone else", "status": "version-mismatch"}
        self.folders[uid]["title"] = body["title"]
        return 200, self.folders[uid]

    def _save_source(self, _uid: str, body: Any) -> Answer:
        uid = body["uid"]
        if not fits(body, SOURCE) or body.keys() != SOURCE.keys():
            return 400, {"message": "bad request data"}
        if self.sources.get(uid, {}).get("readOnly"):
            return 403, {"message": "Cannot update read-only data source"}
        told = {key: value for key, value in body.items() if key != "secureJsonData"}
        self.sources[uid] = {"id": 1, **told, "secureJsonFields": dict.fromkeys(body["secureJsonData"], True), "readOnly": False}
        return 200, {"datasource": self.sources[uid], "id": 1, "message": "Datasource added", "name": body["name"]}

    def _save_board(self, _db: str, body: Any) -> Answer:
        if not fits(body, BOARD) or body["folderUid"] not in self.folders:
            return 400, {"message": "bad request data, or folder not found"}
        board = body["dashboard"]
        there = self.boards.get(board["uid"], {"dashboard": {"version": 0}, "meta": {"provisioned": False}})
        if there["meta"]["provisioned"]:
            return 400, {"message": "Cannot save provisioned dashboard"}
        version = there["dashboard"]["version"] + 1
        self.boards[board["uid"]] = {
            "dashboard": {**board, "id": 7, "version": version},
            "meta": {"folderUid": body["folderUid"], "version": version, "provisioned": False},
        }
        return 200, {"uid": board["uid"], "status": "success", "version": version}

    def _get_alert_rules(self, uid: str, _body: Any, _provenance: str) -> Answer:
        return (200, self.rules[uid]) if uid in self.rules else NOTHING

    def _post_alert_rules(self, _uid: str, body: Any, provenance: str) -> Answer:
        same_title = [rule for rule in self.rules.values() if rule["title"] == body["title"]]
        if not is_rule(body) or body["folderUID"] not in self.folders or same_title or body["uid"] in self.rules:
            return 400, {"message": "invalid alert rule"}
        self.intervals.setdefault(body["ruleGroup"], 60)
        return 201, self._keep(body, provenance)

    def _put_alert_rules(self, uid: str, body: Any, provenance: str) -> Answer:
        if uid not in self.rules:
            return NOTHING
        if not is_rule(body):
            return 400, {"message": "invalid alert rule"}
        if self.rules[uid].get("provenance", "") not in ("", provenance):
            return MISMATCH
        return 200, self._keep(body, provenance)

    def _delete_alert_rules(self, uid: str, _body: Any, provenance: str) -> Answer:
        if self.rules[uid].get("provenance", "") not in ("", provenance):
            return MISMATCH
        del self.rules[uid]
        return 204, None

    def _keep(self, rule: Any, provenance: str) -> Any:
        data = [{"queryType": "", **part} for part in rule["data"]]
        kept = {
            **rule,
            "id": 3,
            "orgID": TOKENS_ORG,
            "data": data,
            "updated": "2026-11-26T05:00:00Z",
            "notification_settings": None,
        }
        if not self.knows_pause:
            del kept["isPaused"]
        self.rules[rule["uid"]] = kept | _locked(provenance)
        return self.rules[rule["uid"]]

    def _get_folder(self, path: str, _body: Any, _provenance: str) -> Answer:
        folder, group = path.split("/rule-groups/")
        rules = [rule for rule in self.rules.values() if rule["ruleGroup"] == group and rule["folderUID"] == folder]
        if not rules:
            return 404, {"message": "rule group not found", "traceID": ""}
        return 200, {"title": group, "folderUid": folder, "interval": self.intervals[group], "rules": rules}

    def _put_folder(self, path: str, body: Any, provenance: str) -> Answer:
        _, group = path.split("/rule-groups/")
        there = {uid for uid, rule in self.rules.items() if rule["ruleGroup"] == group}
        if not fits(body, GROUP) or body["interval"] % 10 or {rule["uid"] for rule in body["rules"]} != there:
            return 400, {"message": "a group is set with all of its rules, and an interval that is a multiple of 10"}
        for rule in body["rules"]:
            self._put_alert_rules(rule["uid"], rule, provenance)
        self.intervals[group] = body["interval"]
        return 200, body

    def _get_contact_points(self, _uid: str, _body: Any, _provenance: str) -> Answer:
        return 200, [{"uid": "", "name": "email receiver", "type": "email", "settings": {}}, *self.contacts.values()]

    def _post_contact_points(self, _uid: str, body: Any, provenance: str) -> Answer:
        if not fits(body, CONTACT) or not fits(body["settings"], SETTINGS[body["type"]]) or not UID.fullmatch(body["uid"]):
            return 400, {"message": "invalid object specification"}
        self.contacts[body["uid"]] = body | _locked(provenance)
        return 202, self.contacts[body["uid"]]

    def _put_contact_points(self, uid: str, body: Any, provenance: str) -> Answer:
        if self.contacts[uid].get("provenance", "") not in ("", provenance):
            return MISMATCH
        status, answer = self._post_contact_points(uid, body, provenance)
        return (status, {"message": "contactpoint updated"}) if status == 202 else (status, answer)

    def _delete_contact_points(self, uid: str, _body: Any, _provenance: str) -> Answer:
        name = self.contacts[uid]["name"]
        last = [contact["name"] for contact in self.contacts.values()].count(name) == 1
        if last and name in {branch["receiver"] for branch in self.policy.get("routes", [])}:
            return 500, {"message": f"contact point '{name}' is currently used by a notification policy"}
        del self.contacts[uid]
        return 202, {"message": "contactpoint deleted"}

    def _get_policies(self, _uid: str, _body: Any, _provenance: str) -> Answer:
        return 200, self.policy

    def _put_policies(self, _uid: str, body: Any, provenance: str) -> Answer:
        known = {contact["name"] for contact in self.contacts.values()} | {"grafana-default-email", "the-other-team"}
        if not is_route(body, known):
            return 400, {"message": "invalid object specification"}
        if self.policy.get("provenance", "") not in ("", provenance):
            return MISMATCH
        self.policy = {key: value for key, value in body.items() if key != "provenance"} | _locked(provenance)
        return 202, {"message": "policies updated"}


def _locked(provenance: str) -> dict[str, str]:
    return {"provenance": provenance} if provenance else {}


@contextmanager
def serving(state: StandIn) -> Iterator[str]:
    """Serve `state` below a path, as behind a proxy; hand out the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # one connection for all of a push, as with Grafana
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                status, answer = 401, {"message": "Invalid API key"}
            elif not self.path.startswith("/grafana/api/"):
                status, answer = 404, {"message": "Not found"}
            else:
                unlocked = self.headers["X-Disable-Provenance"] is not None
                status, answer = state.answer(self.command, self.path.removeprefix("/grafana/api"), body, unlocked)
            payload = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/grafana"
        finally:
            server.shutdown()
            thread.join()
