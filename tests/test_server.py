"""The api's own socket, and how many it may open."""

import logging
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.limits import Limits
from api.server import listen
from hoflicht.catalogue import City
from tests.face import facing
from tests.lane import ms


def test_an_answer_in_parts_does_not_wait_for_an_acknowledgement_of_the_first() -> None:
    with listen("127.0.0.1:0") as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


@pytest.fixture
def few_files() -> Iterator[int]:
    """The soft limit under which systemd starts a service; hands out the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_as_many_files_may_be_open_as_there_may_be_connections(few_files: int, city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, ms(90), limits=Limits(all_streams=2_000)):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert 2_500 < soft <= 3_000
    assert hard == few_files


def test_more_streams_than_files_are_told_at_the_start(
    few_files: int, city: City, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), facing(city, tmp_path, ms(90), limits=Limits(all_streams=few_files)):
        pass

    assert f"{few_files} open files are allowed, but [limits] all_streams needs {few_files + 756}" in caplog.text
