"""A Mosquitto as our own commands make it, for tests that need its certificates, passwords and access lists."""

import subprocess
from pathlib import Path

from hoflicht.broker import BrokerConfig
from ingest import mosquitto
from tests.conftest import Mosquitto, installed

USERS = ("ingest", "api")


class Secured(Mosquitto):
    """The broker of the authority that the file `authority` configures; its files are in `folder`/broker.

    Roles find it at `inner` on loopback, each with the password that `password` gives.
    """

    def __init__(self, folder: Path, authority: Path, inner: int) -> None:
        super().__init__(folder)
        self.config = BrokerConfig(port=inner)
        self.files = folder / "broker"
        self.files.mkdir()
        where = ["--config", str(authority), "--inner", f"127.0.0.1:{inner}"]
        assert mosquitto.main(["mosquitto", str(self.files), *where]) == 0
        program = installed("mosquitto_passwd", "apt-get install mosquitto")
        for user in USERS:
            create = [] if (self.files / "passwords").exists() else ["-c"]
            subprocess.run([program, *create, "-b", self.files / "passwords", user, password(user)], check=True)
        conf = self.files / "mosquitto.conf"
        conf.write_text(f"{conf.read_text()}\nuser root\n")
        self._command[-1] = str(conf)


def password(user: str) -> str:
    """What lets a role in."""
    return f"{user}'s word"
