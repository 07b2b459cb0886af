"""Signs whose display can be read back: they show what they were told last, for ever, as real ones do."""

import logging
from pathlib import Path

from firmware_bridge import alpha, ibis

log = logging.getLogger(__name__)


class Sign:
    """An IBIS sign: telegrams in, text out; with `file` the text is there to look at, whole at every moment.

    A sign keeps its last text without a limit: only its master can take a number away. It forgets it with its power.
    """

    SHOWN = ("DS003a", "DS009", "DS021")

    def __init__(self, name: str, file: Path | None = None) -> None:
        self.name = name
        self._file = file
        self.text = ""
        self.start()

    def start(self) -> None:
        """Get power: dark until the first telegram."""
        self._decoder = ibis.Decoder()
        self._show("")

    def said(self, now_ms: int) -> bytes:
        """Nothing: a sign only answers."""
        return b""

    def heard(self, data: bytes) -> bytes:
        """Take what is on the bus: telegrams with text change the display, a question for the status is answered."""
        answer = b""
        for item in self._decoder.feed(data):
            if not isinstance(item, ibis.Telegram):
                continue
            if item.name in self.SHOWN:
                self._show(item.text.rstrip())
            elif item.name == "DS020":
                answer += _telegram(b"a0")
        return answer

    def _show(self, text: str) -> None:
        changed, self.text = text != self.text, text
        if changed:
            log.info("the sign of %s shows %r", self.name, text)
        if self._file is not None and (changed or not self._file.exists()):
            new = self._file.with_name(f"{self._file.name}.new")
            new.write_text(f"{text}\n", encoding="utf-8")
            new.replace(self._file)


class AlphaSign(Sign):
    """An Alpha sign: it hears and never answers, and its memory outlasts a power cut of some minutes."""

    def start(self) -> None:
        """Get power: the old text is back."""
        self._packets = alpha.Decoder()
        self._show(self.text)

    def heard(self, data: bytes) -> bytes:
        """Take packets; one that writes the priority file changes the display."""
        for item in self._packets.feed(data):
            if isinstance(item, alpha.TextFile) and item.label == "0":
                self._show(item.text)
        return b""


def _telegram(body: bytes) -> bytes:
    return body + b"\r" + bytes((ibis.checksum(body + b"\r"),))
