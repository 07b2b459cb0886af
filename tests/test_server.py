"""The api's own socket."""

import socket

from api.server import listen


def test_an_answer_in_parts_does_not_wait_for_an_acknowledgement_of_the_first() -> None:
    with listen("127.0.0.1:0") as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
