"""What kind of code something is, by published examples of each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.codes import Kind, check_digit, kind_of


@pytest.mark.parametrize(
    ("symbology", "result", "kind"),
    [
        ("EAN_13", "4006381333931", "ean_13"),
        ("EAN-13", "6911316223400", "ean_13"),
        ("EAN_13", "6911316223401", "wrong_check_digit"),
        ("ean13", "9780306406157", "ean_13"),
        ("EAN_13", "978030640615", "wrong_check_digit"),
        ("EAN_13", "٤٠٠٦٣٨١٣٣٣٩٣١", "wrong_check_digit"),
        ("EAN_8", "73513537", "ean_8"),
        ("EAN_8", "73513536", "wrong_check_digit"),
        ("UPC_A", "036000291452", "upc_a"),
        ("UPC_A", "042100005264", "upc_a"),
        ("UPC_E", "04252614", "upc_e"),  # 042100005264
        ("UPC_E", "04252615", "wrong_check_digit"),
        ("UPC_E", "01234565", "upc_e"),  # 012345000065
        ("UPC_E", "21234565", "wrong_check_digit"),
        ("CODE_128", "BX201507000086", "other_barcode"),
        ("CODE_39", "", "nothing"),
        ("", "690", "other_barcode"),
        (None, "http://例子.cn/?a=1&b=2", "url"),
        (None, " HTTPS://EXAMPLE.COM/A ", "url"),
        (None, "weixin://wxpay/bizpayurl?pr=1", "url"),
        (None, "www.example.com", "other_text"),
        (None, "see http://example.com", "other_text"),
        (None, "4006381333931", "other_text"),
        (None, '{"a": "😀"}', "other_text"),
        (None, " ", "nothing"),
        (None, None, "nothing"),
    ],
)
def test_codes_are_told_apart(symbology: str | None, result: str | None, kind: Kind) -> None:
    assert kind == kind_of(symbology, result)


@pytest.mark.parametrize(
    ("short", "meant"),
    [
        ("0123450", "012000003455"),
        ("0425261", "042100005264"),
        ("0123453", "012300000451"),
        ("0123464", "012340000060"),
        ("0123456", "012345000065"),
        ("1999999", "199999000099"),
    ],
)
def test_a_upc_e_has_the_check_digit_of_what_it_stands_for(short: str, meant: str) -> None:
    right = str(check_digit(meant[:-1]))
    kinds = {digit: kind_of("UPC_E", short + digit) for digit in "0123456789"}

    assert {right} == {digit for digit, kind in kinds.items() if kind == "upc_e"}


@given(st.text("0123456789", min_size=12, max_size=12), st.integers(0, 12), st.integers(1, 9))
def test_any_single_digit_that_is_wrong_is_noticed(digits: str, place: int, more: int) -> None:
    code = digits + str(check_digit(digits))
    mistaken = code[:place] + str((int(code[place]) + more) % 10) + code[place + 1 :]

    assert ("ean_13", "wrong_check_digit") == (kind_of("EAN_13", code), kind_of("EAN_13", mistaken))
