"""A running Grafana: what it has, and how to change it. The one door to grafana-api."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from grafana_api.grafana_api import GrafanaClientError, GrafanaServerError, GrafanaUnauthorizedError
from grafana_api.grafana_face import GrafanaFace

from dashboards.boards import FOLDER_TITLE, FOLDER_UID
from dashboards.datasource import UID
from dashboards.drift import JsonObject, Part, kept_in_a_file
from hoflicht.errors import BadConfig, Unavailable

NOT_FOUND, FORBIDDEN = 404, 403
ANSWER_S = 15.0  # a small server with a full disk takes its time to save a board


class Grafana:
    """A running Grafana; raise BadConfig where a person must act, Unavailable where it is away."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadConfig(f"--url {url!r}: expected http(s)://host:3000")
        prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
        self._url = url
        self._face = GrafanaFace(token, host=parts.netloc, protocol=parts.scheme, url_path_prefix=prefix, timeout=ANSWER_S)

    def __enter__(self) -> "Grafana":
        return self

    def __exit__(self, *_: object) -> None:
        self._face.api.s.close()

    def parts(self, source: JsonObject | None, models: list[JsonObject]) -> Iterator[Part]:
        """Folder, data source (where `source` is given) and boards, each asked for in its turn: a board needs its folder."""
        yield self.folder(FOLDER_UID, FOLDER_TITLE)
        if source is not None:
            yield self._source(source)
        for model in models:
            yield self._board(model)

    def ask(self, call: Callable[[], object]) -> None:
        """Do what a part's `save` does."""
        with self._translated():
            call()

    def folder(self, uid: str, title: str) -> Part:
        """A folder for boards or rules."""
        face = self._face.folder
        wanted = {"uid": uid, "title": title}
        found = self._find(lambda: face.get_folder(uid))
        if found is None:
            return Part(f"folder {title!r}", None, wanted, lambda: face.create_folder(title, uid))
        return Part(f"folder {title!r}", found, wanted, lambda: face.update_folder(uid, title, overwrite=True))

    def get(self, path: str) -> Any:
        """What is there, by a path of the API that grafana-api has no method for; None where nothing is."""
        return self._find(lambda: self._face.api.GET(path))

    def post(self, path: str, body: JsonObject, headers: Mapping[str, str]) -> None:
        """Make it; within `ask`."""
        self._face.api.POST(path, json=body, headers=headers)

    def put(self, path: str, body: JsonObject, headers: Mapping[str, str]) -> None:
        """Change it; within `ask`."""
        self._face.api.PUT(path, json=body, headers=headers)

    def delete(self, path: str) -> None:
        """Take it away, locked or not; within `ask`."""
        with suppress(requests.exceptions.JSONDecodeError):  # the answer, 204, is empty, and grafana-api looks into it
            self._face.api.DELETE(path)

    def _source(self, source: JsonObject) -> Part:
        # By uid, for which grafana-api has no method: numeric ids are deprecated, and a name can be changed by hand.
        api, path = self._face.api, f"/datasources/uid/{UID}"
        found = self._find(lambda: api.GET(path))
        wanted = {key: value for key, value in source.items() if key != "secureJsonData"}  # the server never tells it
        if found is None:
            return Part("data source", None, wanted, lambda: api.POST("/datasources", json=source))
        if found.get("readOnly"):
            return Part("data source", found, wanted, partial(kept_in_a_file, "data source"))
        return Part("data source", found, wanted, lambda: api.PUT(path, json=source))

    def _board(self, model: JsonObject) -> Part:
        face, name = self._face.dashboard, f"board {model['title']!r}"
        request = {"dashboard": model, "folderUid": FOLDER_UID, "overwrite": True, "message": "hoflicht dashboards push"}
        wanted = model | {"folderUid": FOLDER_UID}
        answer = self._find(lambda: face.get_dashboard(model["uid"]))
        if answer is None:
            return Part(name, None, wanted, lambda: face.update_dashboard(request))
        found = answer["dashboard"] | {"folderUid": answer["meta"].get("folderUid", "")}
        if answer["meta"].get("provisioned"):
            return Part(name, found, wanted, partial(kept_in_a_file, name))
        return Part(name, found, wanted, lambda: face.update_dashboard(request))

    def _find(self, call: Callable[[], Any]) -> Any:
        with self._translated():
            try:
                return call()
            except GrafanaClientError as cause:
                if cause.status_code == NOT_FOUND:
                    return None
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except GrafanaUnauthorizedError as cause:
            raise BadConfig(f"{self._url} does not take the token; make one under Administration, Service accounts") from cause
        except GrafanaClientError as cause:
            hint = "; the service account needs the role Admin" if cause.status_code == FORBIDDEN else ""
            raise BadConfig(f"{self._url} refuses: {cause}{hint}") from cause
        except GrafanaServerError as cause:
            raise Unavailable(f"{self._url} is in trouble: {cause}; look at its log") from cause
        except (requests.exceptions.InvalidJSONError, TypeError) as cause:
            # TypeError is what grafana-api makes of an error page that holds the word "message".
            raise BadConfig(f"{self._url} answers, but not as Grafana does; check --url") from cause
        except requests.exceptions.RequestException as cause:
            raise Unavailable(f"no answer from {self._url}; is Grafana running, and is --url right?") from cause
