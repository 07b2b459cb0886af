"""An IBIS sign whose display can be read back: it shows the last telegram, for ever, as a real one does."""

from pathlib import Path

from firmware_bridge import ibis


class Sign:
    """Telegrams in, text out; with `file` the text is there to look at, whole at every moment."""

    def __init__(self, file: Path | None = None) -> None:
        self._decoder = ibis.Decoder()
        self._file = file
        self.text = ""

    def said(self, now_ms: int) -> bytes:
        """Nothing: a sign only listens."""
        return b""

    def heard(self, data: bytes) -> bytes:
        """Take what is on the bus; telegrams with text change the display."""
        for item in self._decoder.feed(data):
            if isinstance(item, ibis.Telegram) and item.name in ("DS003a", "DS009", "DS021"):
                self._show(item.text.rstrip())
        return b""

    def _show(self, text: str) -> None:
        if text == self.text:
            return
        self.text = text
        if self._file is not None:
            new = self._file.with_name(f"{self._file.name}.new")
            new.write_text(text + "\n", encoding="utf-8")
            new.replace(self._file)
