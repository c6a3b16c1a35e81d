"""What kind of code was scanned, by its content; pure.

Check digits are those of GS1, with weights 3 and 1 from the right; those of a UPC-E are of the UPC-A it stands for.
"""

import re
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "url", "ean_13", "ean_8", "upc_a", "upc_e", "wrong_check_digit", "other_barcode", "other_text", "nothing"
]

_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)  # weixin:// and apps' own ones as well
_DIGITS = re.compile("[0-9]+")  # not \d, to which digits of all scripts are alike
_LENGTHS: dict[str, tuple[Kind, int]] = {
    "EAN13": ("ean_13", 13),
    "EAN8": ("ean_8", 8),
    "UPCA": ("upc_a", 12),
    "UPCE": ("upc_e", 8),
}


def kind_of(symbology: str | None, result: str | None) -> Kind:
    """Of a barcode by symbology and code, of all else by what was scanned."""
    if not result or not result.strip():
        return "nothing"
    if symbology is None:
        return "url" if _URL.fullmatch(result.strip()) else "other_text"
    known = _LENGTHS.get(re.sub("[-_ ]", "", symbology).upper())
    if known is None:
        return "other_barcode"
    kind, length = known
    return kind if _is_right(result.strip(), kind, length) else "wrong_check_digit"


def check_digit(digits: str) -> int:
    """What GS1 has follow these digits."""
    weighted = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits)))
    return -weighted % 10


def _is_right(code: str, kind: Kind, length: int) -> bool:
    if len(code) != length or not _DIGITS.fullmatch(code):
        return False
    whole = _upc_a(code) if kind == "upc_e" else code
    return whole is not None and check_digit(whole[:-1]) == int(whole[-1])


def _upc_a(code: str) -> str | None:
    """What the eight digits of a UPC-E stand for; None where its number system has no such."""
    system, body, last, check = code[0], code[1:6], code[6], code[7]
    if system not in "01":
        return None
    if last in "012":
        return f"{system}{body[:2]}{last}0000{body[2:]}{check}"
    if last == "3":
        return f"{system}{body[:3]}00000{body[3:]}{check}"
    if last == "4":
        return f"{system}{body[:4]}00000{body[4:]}{check}"
    return f"{system}{body}0000{last}{check}"
