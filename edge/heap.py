"""One heap for all threads of a gateway: of two dozen that take turns each second one would keep freed memory for itself."""

import ctypes

M_ARENA_MAX = -8  # malloc.h of glibc


def share() -> None:
    """Give threads that start from now on the heap of the first; with another C library it is as it is."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
