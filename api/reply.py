"""A body on its way out: ETag, "not modified", and how long others may keep it."""

import hashlib

from fastapi import Request
from fastapi.responses import Response

JSON = "application/json"
GEOJSON = "application/geo+json"
CSV = "text/csv; charset=utf-8"
HTML = "text/html; charset=utf-8"


def wants_csv(request: Request, form: str | None) -> bool:
    """Whether a table is to be CSV: as `form` says, else as the Accept header does."""
    return form == "csv" or (form is None and "text/csv" in request.headers.get("accept", ""))


def reply(
    request: Request, body: bytes, media_type: str = JSON, max_age_s: int = 10, headers: dict[str, str] | None = None
) -> Response:
    """Answer `body`, or 304 where the client has it already (RFC 9110 §13.1.2)."""
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    sent = {"ETag": tag, "Cache-Control": f"public, max-age={max_age_s}", "Vary": "Accept", **(headers or {})}
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=sent)
    return Response(body, headers=sent, media_type=media_type)
