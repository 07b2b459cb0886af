"""`hoflicht decode` and `hoflicht sniff`, with the captures in tests/cases/<device>/<case>/."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_bridge import decode, node
from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Sample
from hoflicht import BadConfig

CASES = sorted(path.parent for path in (Path(__file__).parent / "cases").glob("*/*/input.hex"))
SDS011 = bytes.fromhex("AA C0 06 00 06 00 58 D9 3D AB")
PM2_5 = '{"quantity":"pm2_5","value":0.6,"unit":"ug/m3"}\n'
PM10 = '{"quantity":"pm10","value":0.6,"unit":"ug/m3"}\n'


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "capture.bin"
    path.write_bytes(b"\xff" + SDS011 + SDS011[:4])
    return path


@pytest.fixture
def tty() -> Iterator[tuple[int, str]]:
    device, port = os.openpty()
    yield device, os.ttyname(port)
    os.close(device)
    os.close(port)


def running(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "hoflicht", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )


def asked(device: int, length: int) -> bytes:
    """What was written to the device, up to `length` bytes; fewer where they do not come in time."""
    data = b""
    while len(data) < length and select.select([device], [], [], 10)[0]:
        data += os.read(device, length - len(data))
    return data


def line_of(pipe: object) -> str:
    return pipe.readline().decode()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_capture_says_what_is_expected(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = decode.main([case.parent.name, str(case / "input.hex"), "--hex"])

    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == json.loads((case / "expected.json").read_text())
    assert code == 0


def test_every_device_has_a_case() -> None:
    assert {case.parent.name for case in CASES} == DEVICES.keys()


def test_a_capture_ends_with_a_summary(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert decode.main(["sds011", str(capture)]) == 0

    said = capsys.readouterr()
    assert said.out == PM2_5 + PM10
    assert said.err == "1 frames, 2 samples, 1 noise bytes, 0 lost frames, 4 bytes of an unfinished frame\n"


def test_noise_is_shown_on_request(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    decode.main(["sds011", str(capture), "--noise"])

    assert capsys.readouterr().err.startswith("noise, 1 bytes, no frame starts here: FF\n")


def test_without_a_good_frame_the_exit_code_is_1(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert decode.main(["tfmini", str(capture)]) == 1
    assert capsys.readouterr().err == "0 frames, 0 samples, 15 noise bytes, 0 lost frames\n"


def test_lost_frames_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nodes").write_bytes(node.encode(1, 5, []) + node.encode(1, 9, []))

    assert decode.main(["node", str(tmp_path / "nodes")]) == 0
    assert capsys.readouterr().err == "2 frames, 0 samples, 0 noise bytes, 3 lost frames\n"


def test_values_that_were_given_up_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nodes").write_bytes(node.encode(1, 5, [Sample("passage", 99.0, "gate-in")]))

    assert decode.main(["node", str(tmp_path / "nodes")]) == 0
    assert capsys.readouterr().err == "1 frames, 0 samples, 0 noise bytes, 0 lost frames, 1 values given up\n"


def test_the_docs_show_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docs = (Path(__file__).parent.parent / "docs" / "node-frame.md").read_text(encoding="utf-8")
    [frame] = re.findall(r"```hex frame\n(.*?)```", docs, re.DOTALL)
    [printed] = re.findall(r"```json\n(.*?)```", docs, re.DOTALL)
    (tmp_path / "example.hex").write_text(frame)

    decode.main(["node", "--hex", str(tmp_path / "example.hex")])

    assert capsys.readouterr().out == printed


def test_the_devices_are_listed_with_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert decode.main(["--list"]) == 0

    listed = capsys.readouterr().out.splitlines()
    assert listed[0] == "sds011    9600 8N1     Nova SDS011, particulate matter"
    assert [line.split()[0] for line in listed] == list(DEVICES)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["sds01", "-"],
            "the device 'sds01' is unknown; known: lufft-umb, nmea, node, ops243, sdm120, sdm630, sds011, sml, sps30, tfmini",
        ),
        (["sds011", "/nowhere/capture"], "/nowhere/capture: cannot be read (No such file or directory)"),
        (["sds011", "/"], "/: cannot be read (Is a directory)"),
        (["sds011"], "which device and which file? An example: hoflicht decode sds011 capture.bin; --list shows the devices"),
    ],
)
def test_a_wrong_command_says_what_to_do(argv: list[str], message: str) -> None:
    with pytest.raises(BadConfig) as caught:
        decode.main(argv)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", ["AA C0\nsds011", "AA C", "Ä"])
def test_what_is_no_hex_text_names_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "capture.hex").write_text(f"# comment\n{text}\n")

    with pytest.raises(BadConfig, match=r"line [23] is no hex text"):
        decode.main(["sds011", str(tmp_path / "capture.hex"), "--hex"])


@pytest.mark.parametrize(("option", "frame"), [([], SDS011), (["--hex"], b"AA C0 06 00 06 00 58 D9 3D AB  # a frame\n")])
def test_a_pipe_that_does_not_end_is_decoded_at_once(option: list[str], frame: bytes) -> None:
    with running("decode", "sds011", "-", *option) as process:
        assert process.stdin is not None
        process.stdin.write(frame)
        lines = [line_of(process.stdout), line_of(process.stdout)]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()

    assert lines == [PM2_5, PM10]
    assert process.returncode == 0
    assert err.decode() == "1 frames, 2 samples, 0 noise bytes, 0 lost frames\n"


def test_a_reader_that_has_seen_enough_is_a_good_end() -> None:
    with running("decode", "sds011", "-") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(SDS011)
        assert [line_of(process.stdout), line_of(process.stdout)] == [PM2_5, PM10]
        process.stdout.close()
        process.stdin.write(SDS011)
        process.stdin.close()
        assert process.stderr is not None
        err = process.stderr.read()

    assert process.returncode == 0
    assert err.decode() == "2 frames, 4 samples, 0 noise bytes, 0 lost frames\n"


def test_sniff_shows_what_a_sensor_says_live(tty: tuple[int, str]) -> None:
    device, path = tty
    with running("sniff", path, "--driver", "sds011", "--raw") as process:
        begin = line_of(process.stderr)
        os.write(device, SDS011)
        first, second = json.loads(line_of(process.stdout)), json.loads(line_of(process.stdout))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()

    assert begin == f"Nova SDS011, particulate matter on {path}, 9600 8N1; Ctrl-C ends\n"
    assert first["at"].endswith("+00:00")
    assert {key: first[key] for key in ("quantity", "value", "unit")} == json.loads(PM2_5)
    assert second["quantity"] == "pm10"
    assert "< AA C0 06 00 06 00 58 D9 3D AB\n" in err.decode()
    assert err.decode().endswith("1 frames, 2 samples, 0 noise bytes, 0 lost frames\n")
    assert process.returncode == 0


def test_sniff_asks_a_meter(tty: tuple[int, str]) -> None:
    device, path = tty
    with running("sniff", path, "--driver", "sdm120", "--address", "7", "--baud", "9600", "--parity", "E") as process:
        begin = line_of(process.stderr)
        request = asked(device, 8)
        process.send_signal(signal.SIGTERM)
        process.communicate()

    assert begin.endswith("9600 8E1; Ctrl-C ends\n")
    assert request[:6] == bytes.fromhex("07 04 00 00 00 50")
    assert process.returncode == 0


def test_sniff_starts_a_sensor_before_it_asks(tty: tuple[int, str]) -> None:
    device, path = tty
    with running("sniff", path, "--driver", "sps30") as process:
        line_of(process.stderr)
        requests = asked(device, 22)
        process.send_signal(signal.SIGINT)
        process.communicate()

    assert requests.hex(" ").upper() == "7E 00 00 02 01 03 F9 7E 7E 00 00 02 01 03 F9 7E 7E 00 03 00 FC 7E"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["/dev/nowhere", "--driver", "sds011"],
            "/dev/nowhere does not exist; is it plugged in? Stable names are in /dev/serial/by-id",
        ),
        (
            ["/dev/null", "--driver", "sds01"],
            "the device 'sds01' is unknown; known: lufft-umb, nmea, node, ops243, sdm120, sdm630, sds011, sml, sps30, tfmini",
        ),
    ],
)
def test_sniff_says_what_is_missing_in_one_line(arguments: list[str], message: str) -> None:
    with running("sniff", *arguments) as process:
        _, err = process.communicate()

    assert process.returncode == 2
    assert err.decode().startswith(f"hoflicht sniff: {message}")
    assert err.count(b"\n") == 1
