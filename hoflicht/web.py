"""What every web server of ours shares: who asks, and how one without a framework runs beside other work."""

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

IPV6_PREFIX = 64  # one household has as many addresses as it likes below it (RFC 6177)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address(text: str) -> Address:
    """The address of a caller, without a zone; an IPv4 caller of a server that listens on "[::]" counts as what it is.

    Raise ValueError where it is none.
    """
    parsed = ipaddress.ip_address(text.partition("%")[0])
    return (parsed.version == 6 and parsed.ipv4_mapped) or parsed


def network(caller: Address) -> str:
    """What stands for `caller` in all counts: it can choose among what lies below."""
    return str(ipaddress.ip_network((caller, IPV6_PREFIX), strict=False)) if caller.version == 6 else str(caller)


@contextmanager
def running(server: ThreadingHTTPServer, name: str, poll_s: float = 0.5) -> Iterator[None]:
    """Answer while the block runs, in the thread `name`; its end is heard after `poll_s` at the latest."""
    thread = threading.Thread(target=server.serve_forever, args=[poll_s], name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
