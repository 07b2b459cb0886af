"""The languages of the pages, in the order in which they are offered."""

from api.english import ENGLISH
from api.german import GERMAN
from api.plain_german import PLAIN_GERMAN
from api.turkish import TURKISH

LANGUAGES = {words.code: words for words in (GERMAN, PLAIN_GERMAN, ENGLISH, TURKISH)}
