"""The boards in another language: they are written in English, and what people read of them is replaced word for word."""

from collections.abc import Callable
from typing import Any, Literal

from dashboards import german_environment, german_light, german_platform, german_yards
from hoflicht.faults import FAULTS

Language = Literal["en", "de"]
GERMAN = {
    **german_light.WORDS,
    **german_yards.WORDS,
    **german_environment.WORDS,
    **german_platform.WORDS,
    **{fault.en: fault.de for fault in FAULTS.values()},
}
WORDS: dict[Language, dict[str, str]] = {"en": {}, "de": GERMAN}
# Where a board's JSON holds what people read, or refers to it by name.
SHOWN = frozenset({"title", "description", "alias", "label", "text", "left", "right"})
NAMED = frozenset({"displayName", "custom.fillBelowTo"})  # of overrides: their value is such a word too


def translated(model: dict[str, Any], language: Language) -> dict[str, Any]:
    """The board `model` with its words in `language`; what is no word, as "$tag_site", stays."""
    words = WORDS[language]
    shown: dict[str, Any] = changed(model, lambda text: words.get(text, text))
    return shown


def changed(value: Any, change: Callable[[str], str]) -> Any:
    """`value` with everything that people read in it changed."""
    if isinstance(value, list):
        return [changed(item, change) for item in value]
    if not isinstance(value, dict):
        return value
    shown = SHOWN | _also_shown(value)
    return {key: change(item) if isinstance(item, str) and key in shown else changed(item, change) for key, item in value.items()}


def _also_shown(value: dict[str, Any]) -> set[str]:
    """What people read of an override, its matcher and an annotation."""
    kind = value.get("id")
    if kind in NAMED:
        return {"value"}
    if kind == "byName":
        return {"options"}
    return {"name"} if "iconColor" in value else set()
