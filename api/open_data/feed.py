"""Notices as an Atom feed (RFC 4287), for feed readers and for whoever hands them on."""

import datetime as dt
import uuid
import xml.etree.ElementTree as ET
from zoneinfo import ZoneInfo

from api.staff.notices import Notice, Notices
from hoflicht.catalogue import City
from hoflicht.instants import moment

ATOM = "http://www.w3.org/2005/Atom"
PATH = "/v1/notices.atom"


def as_atom(city: City, notices: Notices, language: str, base: str, now: dt.datetime) -> bytes:
    """The notices that stand now, newest first, in `language` where they have it."""
    feed = ET.Element("feed", {"xmlns": ATOM, "xml:lang": language})
    _add(feed, "id", _id(city.name, "notices"))
    _add(feed, "title", f"Recyclinghöfe {city.name}: Hinweise")
    _add(feed, "updated", _updated(notices, now).isoformat())
    _add(_add(feed, "author"), "name", city.open_data.publisher or city.name)
    _add(feed, "link", rel="self", type="application/atom+xml", href=f"{base}{PATH}?lang={language}")
    _add(feed, "link", rel="alternate", type="text/html", href=f"{base}/?lang={language}")
    for notice in sorted(notices.current().values(), key=lambda each: each.since, reverse=True):
        _add_entry(feed, city, notice, language, base)
    written: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _add_entry(feed: ET.Element, city: City, notice: Notice, language: str, base: str) -> None:
    words, yard = notice.words(language), city.yards[notice.yard].name
    until = notice.until.astimezone(ZoneInfo(city.timezone))
    entry = _add(feed, "entry")
    _add(entry, "id", _id(city.name, notice.yard, notice.since.isoformat()))
    _add(entry, "title", f"{yard}: {words}")
    _add(entry, "updated", notice.since.isoformat())
    _add(entry, "content", f"{words}\nGilt bis {until:%d.%m.%Y, %H:%M} Uhr.", type="text")
    _add(entry, "category", term=notice.yard, label=yard)
    _add(entry, "link", rel="alternate", type="text/html", href=f"{base}/?lang={language}#{notice.yard}")


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, name, attributes)
    element.text = text or None
    return element


def _id(*parts: str) -> str:
    """The same for the same notice, whatever the address under which we are asked (§4.2.6)."""
    return uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("hoflicht", *parts))).urn


def _updated(notices: Notices, now: dt.datetime) -> dt.datetime:
    """When one was last put up, taken down or over; with none at all: the epoch."""
    ends = [each.until for each in notices.latest().values() if each.until <= now]
    return max([moment(0), *(each.since for each in notices.latest().values()), *ends])
