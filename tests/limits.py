"""A disk that is full, without a disk of one's own."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def files_that_do_not_grow(beyond_bytes: int = 200_000) -> Iterator[None]:
    """No file of this process grows beyond that size while the block runs."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (beyond_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
