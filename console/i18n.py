"""The language a person is spoken to in: English as written in the code, Chinese from zh.po.

Marked in the code are the texts inside `_(...)`, and the help of every command and option (console/command.py).
"""

import gettext
import io
import os
from importlib import resources

LANGUAGES = ("en", "zh")
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # the order in which Python's gettext asks them

_english = gettext.NullTranslations()
_catalogue = _english


def choose(language: str | None) -> None:
    """Speak this language from now on; without one, that of the environment."""
    global _catalogue
    if language is not None:
        os.environ["LANGUAGE"] = language  # child processes speak it too
    _catalogue = _chinese() if (language or _of_environment()) == "zh" else _english


def _(message: str) -> str:
    """The message in the language chosen."""
    return _catalogue.gettext(message) if message else ""


def language() -> str:
    """The language chosen, for what is worded elsewhere: one of LANGUAGES."""
    return "en" if _catalogue is _english else "zh"


def ngettext(one: str, many: str, number: int) -> str:
    return _catalogue.ngettext(one, many, number)


def _of_environment() -> str:
    wish = next((value for name in _VARIABLES if (value := os.environ.get(name))), "")
    return "zh" if wish.lower().startswith("zh") else "en"


def _chinese() -> gettext.NullTranslations:
    # Babel is imported for those who need it only, and no compiled catalogue can be forgotten or go stale.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with resources.files("console").joinpath("zh.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale="zh"))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
