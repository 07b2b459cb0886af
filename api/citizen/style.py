"""The citizen's style sheet. It travels within the page: on a slow network each further question costs the first paint a turn."""

import base64
import hashlib
from pathlib import Path

SHEET = (Path(__file__).parent / "static" / "style.css").read_text(encoding="utf-8")
SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(SHEET.encode()).digest()).decode()}'"  # as the policy names it (CSP3 §2.3.1)
