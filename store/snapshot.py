"""All of an InfluxDB 2.7, copied while it works, over the interface of its own `influx backup` and `influx restore --full`.

Its pieces: `kv` (organisations, tokens, tasks, which shards there are), `sql` (notebooks and the like), `buckets` (the shards
again, for us to read), `shards/<id>` (the readings of some days). The first three are of one moment, a shard is a little younger.
"""

import io
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import IO, NamedTuple

import msgspec

from hoflicht.errors import BadPayload, Refused, Unavailable
from store.influx import MAX_REASON, Address

MAX_METADATA = 256 * 1024 * 1024  # bytes; a new server has 200 kB, and it is all in memory while it is looked at
PATIENCE_S = 600.0  # InfluxDB writes what it has of a shard to disk before it answers
KV, SQL, BUCKETS, SHARDS = "kv", "sql", "buckets", "shards/"
PART = re.compile(rb'\r\nContent-Disposition: attachment; name="(\w+)"')


class Piece(NamedTuple):
    """A part of the copy: its name, its bytes, how many there are."""

    name: str
    content: IO[bytes]
    size: int


class Shard(msgspec.Struct):
    """Some days of one bucket."""

    id: int


class ShardGroup(msgspec.Struct, rename="camel"):
    """Shards of the same days; `deleted_at` stands there once they are given up."""

    shards: list[Shard]
    deleted_at: str | None = None


class Policy(msgspec.Struct, rename="camel"):
    """How long a bucket keeps what it has, and what it has."""

    shard_groups: list[ShardGroup]


class Kept(msgspec.Struct, rename="camel"):
    """A bucket; the names of InfluxDB's own begin with an underscore."""

    bucket_name: str
    retention_policies: list[Policy]

    def shards(self) -> list[int]:
        """Those whose days are not over."""
        groups = [group for policy in self.retention_policies for group in policy.shard_groups if not group.deleted_at]
        return [shard.id for group in groups for shard in group.shards]


class Snapshot:
    """The InfluxDB at `address`; `token` is its all-access token. Raises Unavailable where it is away, Refused where we may not."""

    def __init__(self, address: Address, token: str) -> None:
        self._server = address.server
        self._token = token

    def take(self, keep: Callable[[str, IO[bytes]], None]) -> None:
        """Hand each piece to `keep`; a shard that InfluxDB gives up meanwhile is left out."""
        parts = self._metadata()
        for name in (KV, SQL, BUCKETS):
            keep(name, io.BytesIO(parts[name]))
        for number in (number for bucket in _buckets(parts) for number in bucket.shards()):
            try:
                with self._call(f"backup/{SHARDS}{number}") as answer:
                    keep(f"{SHARDS}{number}", answer)
            except BadPayload:  # 404: its days are over since the list was made
                continue

    def empty(self) -> None:
        """Raise Refused where readings would be lost that are there."""
        held = [one.bucket_name for one in _buckets(self._metadata()) if one.shards() and not one.bucket_name.startswith("_")]
        if held:
            raise Refused(f"InfluxDB at {self._server} holds readings already ({', '.join(sorted(held))}); begin with an empty one")

    def give_back(self, pieces: Iterable[Piece]) -> None:
        """Put the copy in place of all that is there; its pieces come in the order of `take`."""
        for piece in pieces:
            if piece.name == BUCKETS:
                continue  # kv has them too
            with self._call(f"restore/{piece.name}", piece) as answer:
                if piece.name == KV:  # from now on it knows the tokens of the copy only
                    self._token = msgspec.json.decode(answer.read(MAX_REASON), type=dict[str, str])["token"]

    def _metadata(self) -> dict[str, bytes]:
        with self._call("backup/metadata") as answer:
            body = answer.read(MAX_METADATA + 1)
            boundary = str(answer.headers.get_boundary()).encode()
        if len(body) > MAX_METADATA:
            raise Refused(f"InfluxDB at {self._server}: more than {MAX_METADATA} bytes of metadata")
        return dict(_part(part) for part in body.split(b"--" + boundary))

    @contextmanager
    def _call(self, path: str, piece: Piece | None = None) -> Iterator[HTTPResponse]:
        request = urllib.request.Request(f"{self._server}/api/v2/{path}", headers={"Authorization": f"Token {self._token}"})
        if piece is not None:
            request.data = piece.content
            request.add_header("Content-Type", "application/octet-stream")
            request.add_header("Content-Length", str(piece.size))
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                yield answer
        except urllib.error.HTTPError as cause:
            with cause:
                raise self._sorted(cause) from cause
        except (OSError, HTTPException) as cause:  # HTTPException: it ended in the middle of an answer
            raise Unavailable(f"InfluxDB at {self._server}: {cause}") from cause

    def _sorted(self, cause: urllib.error.HTTPError) -> BadPayload | Refused | Unavailable:
        told = f"InfluxDB at {self._server}: {cause.code} {cause.read(MAX_REASON).decode(errors='replace').strip()}"
        if cause.code == HTTPStatus.NOT_FOUND:
            return BadPayload(told)
        if cause.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return Refused(f"{told}; an all-access token is needed")
        return Unavailable(told)


def _part(part: bytes) -> tuple[str, bytes]:
    """Name and content of a part of a multipart body."""
    head, _, content = part.partition(b"\r\n\r\n")
    named = PART.search(head)
    return (named[1].decode() if named else ""), content.removesuffix(b"\r\n")


def _buckets(parts: dict[str, bytes]) -> list[Kept]:
    return msgspec.json.decode(parts[BUCKETS], type=list[Kept])
