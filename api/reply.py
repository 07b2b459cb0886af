"""A body on its way out: ETag, "not modified", and how long others may keep it."""

import functools
import gzip
import hashlib
import re

from fastapi import Request
from fastapi.responses import Response

JSON = "application/json"
GEOJSON = "application/geo+json"
CSV = "text/csv; charset=utf-8"
HTML = "text/html; charset=utf-8"
ICS = "text/calendar; charset=utf-8"
ATOM = "application/atom+xml"
JSONLD = "application/ld+json"
TURTLE = "text/turtle; charset=utf-8"
TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")  # RFC 9110 §12.5.3: q=0 is a no
MIN_PACKED = 1_400  # bytes; what fits into one packet is sent as it is


def wants_csv(request: Request, form: str | None) -> bool:
    """Whether a table is to be CSV: as `form` says, else as the Accept header does."""
    return form == "csv" or (form is None and "text/csv" in request.headers.get("accept", ""))


class Body:
    """Bytes on their way out; packed, and named by what is in them, once."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @functools.cached_property
    def name(self) -> str:
        """The same for the same bytes only."""
        return hashlib.blake2b(self.raw, digest_size=12).hexdigest()

    @functools.cached_property
    def packed(self) -> bytes:
        """By gzip, at its quickest: the next step makes it a tenth smaller in twice the time."""
        return gzip.compress(self.raw, 1, mtime=0)


def reply(
    request: Request, body: bytes | Body, media_type: str = JSON, max_age_s: int = 10, headers: dict[str, str] | None = None
) -> Response:
    """Answer `body`, packed where the client takes it so, or 304 where he has it already (RFC 9110 §13.1.2)."""
    told = body if isinstance(body, Body) else Body(body)
    is_packed = len(told.raw) >= MIN_PACKED and TAKES_GZIP.search(request.headers.get("accept-encoding", "")) is not None
    tag = f'"{told.name}{"-gzip" if is_packed else ""}"'  # §8.8.3: another one for another coding
    sent = {"ETag": tag, "Cache-Control": f"public, max-age={max_age_s}", "Vary": "Accept, Accept-Encoding", **(headers or {})}
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=sent)
    if is_packed:
        return Response(told.packed, headers={**sent, "Content-Encoding": "gzip"}, media_type=media_type)
    return Response(told.raw, headers=sent, media_type=media_type)
