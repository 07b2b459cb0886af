"""A small stand-in for Grafana: what its HTTP API documents of folders, data sources, boards and alerting, over real HTTP.

Of alerting also what only its source tells: a 404 and a 204 have no body, the token's organisation counts and not the one that is
sent, and what was locked by the API (provenance) is changed by nobody who does not lock it too.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "glsa_a-token-for-tests"
TOKENS_ORG = 7
NEEDED = {"title", "ruleGroup", "folderUID", "orgID", "condition", "data", "noDataState", "execErrState", "for"}
NOTHING = (404, None)
Answer = tuple[int, Any]


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

    def answer(self, method: str, path: str, body: Any, is_unlocked: bool) -> Answer:
        provenance = "" if is_unlocked else "api"
        if method != "GET":
            self.writes.append(f"{method} {path}")
            if self.role != "Admin":
                return 403, {"message": "You'll need additional permissions to perform this action"}
        alerting = re.fullmatch(r"/v1/provisioning/(alert-rules|contact-points|policies|folder)/?(.*)", path)
        if alerting:
            serve: Callable[[str, Any, str], Answer] = getattr(self, f"_{method.lower()}_{alerting[1].replace('-', '_')}")
            return serve(alerting[2], body, provenance)
        if method == "GET":
            kind, _, uid = path.strip("/").replace("/uid/", "/").partition("/")
            found = {"folders": self.folders, "datasources": self.sources, "dashboards": self.boards}[kind].get(uid)
            return (404, {"message": "Not found"}) if found is None else (200, found)
        saves = {
            "POST /folders": self._save_folder,
            "POST /datasources": self._save_source,
            "PUT /datasources/uid/hoflicht-influxdb": self._save_source,
            "POST /dashboards/db": self._save_board,
        }
        return saves[f"{method} {path}"](body)

    def _save_folder(self, body: Any) -> Answer:
        self.folders[body["uid"]] = {"id": 1, **body}
        return 200, self.folders[body["uid"]]

    def _save_source(self, body: Any) -> Answer:
        uid = body["uid"]
        self.sources[uid] = {"id": 1, **{key: value for key, value in body.items() if key != "secureJsonData"}}
        self.sources[uid]["secureJsonFields"] = dict.fromkeys(body["secureJsonData"], True)
        return 200, {"datasource": self.sources[uid], "id": 1, "message": "Datasource added", "name": body["name"]}

    def _save_board(self, body: Any) -> Answer:
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        board = body["dashboard"]
        version = self.boards.get(board["uid"], {"dashboard": {"version": 0}})["dashboard"]["version"] + 1
        self.boards[board["uid"]] = {
            "dashboard": {**board, "id": 7, "version": version},
            "meta": {"folderUid": body["folderUid"], "version": version},
        }
        return 200, {"uid": board["uid"], "status": "success", "version": version}

    def _get_alert_rules(self, uid: str, _body: Any, _provenance: str) -> Answer:
        return (200, self.rules[uid]) if uid in self.rules else NOTHING

    def _post_alert_rules(self, _uid: str, body: Any, provenance: str) -> Answer:
        same_title = [rule for rule in self.rules.values() if rule["title"] == body["title"]]
        if not body.keys() >= NEEDED or body["folderUID"] not in self.folders or same_title or body["uid"] in self.rules:
            return 400, {"message": "invalid alert rule"}
        self.intervals.setdefault(body["ruleGroup"], 60)
        return 201, self._keep(body, provenance)

    def _put_alert_rules(self, uid: str, body: Any, provenance: str) -> Answer:
        if uid not in self.rules:
            return NOTHING
        if self.rules[uid].get("provenance", "") not in ("", provenance):
            return 500, {"message": "cannot change provenance from 'api' to ''"}
        return 200, self._keep(body, provenance)

    def _delete_alert_rules(self, uid: str, _body: Any, provenance: str) -> Answer:
        if self.rules[uid].get("provenance", "") not in ("", provenance):
            return 500, {"message": "cannot delete with provided provenance '', needs 'api'"}
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
        self.rules[rule["uid"]] = kept | ({"provenance": provenance} if provenance else {})
        return self.rules[rule["uid"]]

    def _get_folder(self, path: str, _body: Any, _provenance: str) -> Answer:
        folder, group = path.split("/rule-groups/")
        rules = [rule for rule in self.rules.values() if rule["ruleGroup"] == group and rule["folderUID"] == folder]
        return (200, {"title": group, "folderUid": folder, "interval": self.intervals[group], "rules": rules}) if rules else NOTHING

    def _put_folder(self, path: str, body: Any, provenance: str) -> Answer:
        _, group = path.split("/rule-groups/")
        if body["interval"] % 10 or {rule["uid"] for rule in body["rules"]} != {
            uid for uid, rule in self.rules.items() if rule["ruleGroup"] == group
        }:
            return 400, {"message": "a group is set with all of its rules, and an interval that is a multiple of 10"}
        for rule in body["rules"]:
            self._put_alert_rules(rule["uid"], rule, provenance)
        self.intervals[group] = body["interval"]
        return 200, body

    def _get_contact_points(self, _uid: str, _body: Any, _provenance: str) -> Answer:
        return 200, list(self.contacts.values())

    def _post_contact_points(self, _uid: str, body: Any, provenance: str) -> Answer:
        self.contacts[body["uid"]] = body | ({"provenance": provenance} if provenance else {})
        return 202, self.contacts[body["uid"]]

    def _put_contact_points(self, uid: str, body: Any, provenance: str) -> Answer:
        if self.contacts[uid].get("provenance", "") not in ("", provenance):
            return 500, {"message": "cannot change provenance from 'api' to ''"}
        self._post_contact_points(uid, body, provenance)
        return 202, {"message": "contactpoint updated"}

    def _get_policies(self, _uid: str, _body: Any, _provenance: str) -> Answer:
        return 200, self.policy

    def _put_policies(self, _uid: str, body: Any, provenance: str) -> Answer:
        known = {contact["name"] for contact in self.contacts.values()} | {"grafana-default-email", "the-other-team"}
        if not {body["receiver"], *(branch["receiver"] for branch in body["routes"])} <= known:
            return 400, {"message": "receiver does not exist"}
        self.policy = {key: value for key, value in body.items() if key != "provenance"} | (
            {"provenance": provenance} if provenance else {}
        )
        return 202, {"message": "policies updated"}


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
        yield f"http://127.0.0.1:{server.server_port}/grafana"
        server.shutdown()
        thread.join()
