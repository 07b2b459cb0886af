"""ThingsBoard's IoT gateway as a process, and the little of a ThingsBoard that it needs before it sends anything.

Its configs are the packaged ones, with what costs and nobody here asks for turned off: statistics, remote configuration, logs below
errors. It cannot ask a device by itself nor take a mean; its serial connector reads up to a delimiter, or a second without a byte,
and cuts keys out of that, in hexadecimal where they are binary. A frame ends where the next one's head has come, or its own tail.
"""

import json
import os
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hoflicht.broker import BrokerConfig, Message, Received, Session
from tests.conftest import installed

HERE = Path(__file__).parent
HOME = Path.home() / ".cache/hoflicht/tb-gateway"
ASKED, TELEMETRY = "v1/devices/me/rpc/request/+", "v1/gateway/telemetry"
LIMITS = {"maxPayloadSize": 65_536, "maxInflightMessages": 100, "rateLimits": {}, "gatewayRateLimits": {}}  # none but sane ones
END_S = 10.0
WAIT_S = 0.5
# Its packaged logs go to seven files and the console at INFO; nobody reads them here.
LOGS = {"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR"}}
NO_WAY_OUT = "http://127.0.0.1:9"  # it asks its makers for a newer version at each start


class Peer:
    """The running gateway; `told` counts the values that it has published, by device."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.told: Counter[str] = Counter()


@contextmanager
def running(folder: Path, broker: BrokerConfig, ports: Path, *, every_s: float = 0) -> Iterator[Peer]:
    """The gateway in the fresh `folder`, while the block runs; it reads the devices of devices.json at the ports of their names.

    With `every_s` 0 it publishes each value, else the last one of each period.
    """
    program = installed("thingsboard-gateway", f"bench/peers/tb_gateway/build {HOME}", HOME / "bin")
    _write(folder, broker, ports, every_s)
    environment = os.environ | {"TB_GW_CONFIG_DIR": str(folder), "https_proxy": NO_WAY_OUT}
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen([program], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    ending = threading.Event()
    peer = Peer(process.pid)
    with Session(broker, "thingsboard", [ASKED, TELEMETRY]) as session:
        answering = threading.Thread(target=_answer, args=(session, peer, ending))
        answering.start()
        try:
            yield peer
        finally:
            ending.set()
            answering.join()
            _end(process)


def _write(folder: Path, broker: BrokerConfig, ports: Path, every_s: float) -> None:
    for name in ("data", "logs"):  # it makes neither of them
        (folder / name).mkdir(parents=True)
    config = json.loads((HERE / "tb_gateway.json").read_text())
    strategy = {"type": "ON_REPORT_PERIOD", "reportPeriod": round(every_s * 1000)} if every_s else {"type": "ON_RECEIVED"}
    config["thingsboard"] |= {"host": broker.host, "port": broker.port, "reportStrategy": strategy}
    config["storage"] = {"type": "sqlite", "data_file_path": f"{folder / 'data'}/"}
    devices = json.loads((HERE / "devices.json").read_text())
    serial = {"name": "serial", "logLevel": "ERROR", "devices": [_placed(device, ports) for device in devices]}
    for name, content in {"tb_gateway": config, "serial": serial, "logs": LOGS}.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


def _placed(device: dict[str, object], ports: Path) -> dict[str, object]:
    return device | {"type": "default", "port": str(ports / str(device["name"])), "converter": "SerialUplinkConverter"}


def _answer(session: Session, peer: Peer, ending: threading.Event) -> None:
    """Tell the gateway its limits, without which it sends nothing, and count what it sends."""
    while not ending.is_set():
        event = session.event(WAIT_S)
        if not isinstance(event, Received):
            continue
        message = event.message
        if message.topic == TELEMETRY:
            for name, entries in json.loads(message.payload).items():
                peer.told[name] += sum(len(entry["values"]) for entry in entries)
        elif b"getSessionLimits" in message.payload:
            session.publish(Message(topic=message.topic.replace("request", "response"), payload=json.dumps(LIMITS).encode()))
        session.acknowledge(event)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
