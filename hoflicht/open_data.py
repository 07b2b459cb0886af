"""What a city says of its open data: who publishes them, under which licence, and where they are found."""

import enum
import re
from collections.abc import Iterator

from hoflicht.complaint import Complaint, about
from hoflicht.config import Strict

URL = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~/-]*[A-Za-z0-9_~-])?")
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")  # as HTML's input type=email has it, nearly
CONTRIBUTOR = re.compile(r"[A-Za-z0-9_-]{1,60}")
KEY = re.compile(r"\d{8}|\d{12}")  # Amtlicher Gemeindeschlüssel, Amtlicher Regionalschlüssel
MAX_NAME = 200  # characters


class Licence(enum.StrEnum):
    """Those that GovData recommends (DCAT-AP.de 3.0, "Liste der Lizenzen"), as they end in http://dcat-ap.de/def/licenses/."""

    BY = "dl-by-de/2.0"  # the source must be named
    ZERO = "dl-zero-de/2.0"
    CC_BY = "cc-by/4.0"
    CC_ZERO = "cc-zero"


class OpenData(Strict, frozen=True):
    """What the DCAT-AP.de catalogue tells beside the data themselves."""

    url: str = ""  # "https://waiting.example.org"; empty: the host that was asked
    publisher: str = ""  # who decides that they are open, in law; empty: the city's name
    contact: str = ""  # an e-mail address, or a page with a form
    licence: Licence = Licence.BY  # the city's to choose: nobody else gives away more of it
    contributor: str = ""  # as GovData lists it, in http://dcat-ap.de/def/contributors/
    municipality: str = ""  # its key of 8 digits, or 12 with the association: "05112000"


def complaints(told: OpenData) -> Iterator[Complaint]:
    """What in `told` cannot be meant."""
    if told.url and not URL.fullmatch(told.url):
        yield about(("url",), f"{told.url!r} is no address without a slash at its end; an example: https://waiting.example.org")
    if told.contact and not (EMAIL.fullmatch(told.contact) or URL.fullmatch(told.contact)):
        yield about(("contact",), f"{told.contact!r} is no e-mail address and no page; an example: opendata@example.org")
    if told.contributor and not CONTRIBUTOR.fullmatch(told.contributor):
        yield about(("contributor",), f"{told.contributor!r}: the last part of its address at GovData, an example: openNRW")
    if told.municipality and not KEY.fullmatch(told.municipality):
        yield about(("municipality",), f"{told.municipality!r} is no key of 8 or 12 digits; an example: 05112000")
    if len(told.publisher) > MAX_NAME:
        yield about(("publisher",), f"at most {MAX_NAME} characters")
