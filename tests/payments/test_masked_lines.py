"""Lines of bank files as staff see them: no account number, new or old, is legible in any."""

import pytest

from payments.ach.masked_lines import mask_line

ENTRY = "627011000015{:<17}0000028417ABCDEFGHJK     ALICE ALVAREZ         S 0011000010000007"
RETURN = "799R01011000010000007      01100001{:<44}011000010000001"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("482001234567", "********4567"),
        ("4820", "4820"),
        ("AB12CD34EF56GH78Z", "*************H78Z"),
        ("1234 5678", "*****5678"),
    ],
)
def test_an_account_number_keeps_its_last_four(number: str, shown: str) -> None:
    masked = mask_line(ENTRY.format(number))
    assert masked == ENTRY.format(shown)


def test_a_corrected_number_in_an_addenda_is_gone_and_the_rest_stays() -> None:
    masked = mask_line(RETURN.format("2000000198 AB"))
    assert masked == RETURN.format("********** **")


@pytest.mark.parametrize("line", ["101 011000015 1234567890", "5225HEALTH CONNECTR", "9" * 94, "", "6", "7"])
def test_any_other_line_stays_as_it_is(line: str) -> None:
    assert mask_line(line) == line
