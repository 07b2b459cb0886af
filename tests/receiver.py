"""An ingest of a few lines: real MQTT, a list instead of a database."""

import threading
from collections.abc import Callable

from hoflicht import Reading, batch, senml, topics
from hoflicht.broker import BrokerConfig, Connected, Message, Received, Session

Answer = Callable[[Message], Message | None]


class Ingest:
    """Takes batches and gives the receipts that `answer` makes; what it read is in `batches`, in order of arrival."""

    def __init__(self, broker: BrokerConfig, answer: Answer = batch.stored) -> None:
        self.batches: list[list[Reading]] = []
        self._answer = answer
        self._session = Session(broker, "ingest", [topics.ALL_BATCHES])
        self._ended = threading.Event()
        self._is_connected = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Ingest":
        self._thread.start()
        assert self._is_connected.wait(15)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def readings(self) -> set[Reading]:
        return {reading for readings in list(self.batches) for reading in readings}

    def _work(self) -> None:
        with self._session as session:
            while not self._ended.is_set():
                event = session.event(0.05)
                if isinstance(event, Connected):
                    self._is_connected.set()
                if isinstance(event, Received):
                    self.batches.append(senml.decode(batch.unwrap(event.message)).readings)
                    session.answer([(event, self._answer(event.message))])
