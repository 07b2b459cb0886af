"""What tb-gateway's SQLite store has written for the same readings: run by the environment that `build` has made.

Each line of standard input is what was seen at one instant, its messages as the gateway's converters make them. They are put into
its own Database, as its thread does within a fifth of a second, read again, and deleted as if they were delivered. The thread
itself is not started: its sleeps would make a day of a day.
"""

import json
import logging
import sys
from pathlib import Path
from queue import Queue
from threading import Event

# Both are in the peer's environment.
from thingsboard_gateway.storage.sqlite.database import Database  # type: ignore[import-not-found]
from thingsboard_gateway.storage.sqlite.storage_settings import StorageSettings  # type: ignore[import-not-found]


def main(folder: str) -> None:
    logging.addLevelName(5, "TRACE")
    logging.Logger.trace = logging.Logger.debug  # type: ignore[attr-defined]  # a level of its own that it relies on
    settings = StorageSettings({"data_file_path": f"{folder}/"})  # all else as it is shipped
    settings.data_file_path = f"{folder}/data.db"
    waiting: Queue[str] = Queue()
    database = Database(settings, waiting, logging.getLogger("storage"), Event())
    lines, before = sys.stdin.readlines(), 0
    warm_up = len(lines) // 5  # until its log has got its usual length, or some of it
    for number, line in enumerate(lines):
        if number == warm_up:
            before = written_bytes()
        for message in json.loads(line):
            waiting.put(json.dumps(message))
        database.process()
        database.clean_next_batch()
        rows = database.read_data()
        database.delete_data(rows[-1]["id"])
    print((written_bytes() - before) / (len(lines) - warm_up))


def written_bytes() -> int:
    return int(Path("/proc/self/io").read_text().partition("\nwrite_bytes: ")[2].partition("\n")[0])


if __name__ == "__main__":
    main(sys.argv[1])
