"""The languages of the pages, in the order in which they are offered."""

from api.citizen.english import ENGLISH
from api.citizen.german import GERMAN
from api.citizen.plain_german import PLAIN_GERMAN
from api.citizen.turkish import TURKISH

LANGUAGES = {words.code: words for words in (GERMAN, PLAIN_GERMAN, ENGLISH, TURKISH)}
