"""Who comes in with which key, and what is written down of it."""

import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Iterator

from fastapi import Request
from prometheus_client import Counter

from api.guard import CALLER
from api.limits import Buckets
from api.problems import Wrong
from api.staff.audit import ASKED, Audit, Entry
from api.staff.keys import Key, KeyFile, Scope, find
from hoflicht.clock import Clock
from hoflicht.errors import BadConfig
from hoflicht.instants import moment

log = logging.getLogger(__name__)

WRONG_KEYS, WRONG_KEYS_PER_S = 5, 1 / 60  # by address: a person who pastes the wrong line, not a program that tries them all
CALLS, CALLS_PER_S = 30, 0.5  # by key: more than a person does, and the audit still holds more than a day of it
REALM = 'Bearer realm="hoflicht staff"'  # RFC 6750 §3
DONE = "done"

wrong_keys = Counter("hoflicht_api_wrong_keys", "Calls of the staff API with a key that is none")


class Door:
    """Lets in whoever shows a key that is good for what he wants."""

    def __init__(self, keys: KeyFile, audit: Audit, clock: Clock) -> None:
        self._keys = keys
        self._audit = audit
        self._clock = clock
        self._wrong_keys = Buckets(WRONG_KEYS_PER_S, WRONG_KEYS, clock)
        self._calls = Buckets(CALLS_PER_S, CALLS, clock)
        self._fault = ""

    def wants(self, scope: Scope) -> Callable[[Request], Key]:
        """What a route depends on that only keys with `scope` may ask."""

        def admit(request: Request) -> Key:
            key = self._known(request)
            wait_s = self._calls.take(key.id)
            if wait_s:
                raise Wrong(429, "too many calls with this key", _after(wait_s))
            if scope not in key.scopes:
                self.note(key, f"{request.method} {scope.value}", "refused")
                headers = {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scope.value}"'}
                raise Wrong(403, f"this key lacks the scope {scope.value}", headers)
            return key

        return admit

    def note(self, key: Key, what: str, outcome: str) -> None:
        """Write down what was done with `key`; raise Wrong where it cannot be."""
        try:
            self._audit.add(Entry(self._now(), key.id, key.name, what, outcome))
        except OSError as cause:
            log.error("the audit of staff's calls cannot be written, so none is answered: %s", cause)
            raise Wrong(503, "the audit cannot be written; nothing is done without it") from cause

    @contextlib.contextmanager
    def noting(self, key: Key, what: str) -> Iterator[None]:
        """Write down that `what` was asked before the block does it, and after it what became of it."""
        self.note(key, what, ASKED)
        outcome = "failed"
        try:
            yield
            outcome = DONE
        except Wrong as cause:
            outcome = cause.problem.detail
            raise
        finally:
            self.note(key, what, outcome)

    def _known(self, request: Request) -> Key:
        caller = request.scope[CALLER]
        wait_s = self._wrong_keys.wait_s(caller) if caller is not None else 0
        if wait_s:
            raise Wrong(429, "too many wrong keys from this address", _after(wait_s))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            raise Wrong(401, "staff only: send Authorization: Bearer and a key", {"WWW-Authenticate": REALM})
        key = find(token.strip(), self._all(), self._now()) if scheme.lower() == "bearer" else None
        if key is None:
            wrong_keys.inc()
            if caller is not None:
                self._wrong_keys.take(caller)
            raise Wrong(401, "no such key, or it has expired", {"WWW-Authenticate": f'{REALM}, error="invalid_token"'})
        return key

    def _all(self) -> tuple[Key, ...]:
        try:
            keys = self._keys.read()
        except BadConfig as cause:
            if str(cause) != self._fault:
                self._fault = str(cause)
                log.error("no key of staff is accepted: %s", cause)
            raise Wrong(503, "the keys cannot be read; the log of the server knows more") from cause
        self._fault = ""
        return keys

    def _now(self) -> dt.datetime:
        return moment(self._clock.now_ms())


def _after(wait_s: int) -> dict[str, str]:
    return {"Retry-After": str(wait_s)}
