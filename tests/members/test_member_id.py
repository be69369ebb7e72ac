"""Member IDs: 12 digits, typed as people type them."""

import pytest
from stdnum.exceptions import InvalidFormat, InvalidLength

from members import member_id


@pytest.mark.parametrize(
    "typed",
    [
        "003456789011",
        "0034 5678 9011",
        "0034-5678-9011",
        " 0034–5678–9011 ",
        "0034\N{NO-BREAK SPACE}56789011",
    ],
)
def test_spaces_and_hyphens_of_every_kind_are_taken_out_and_leading_zeros_kept(typed):
    assert member_id.validate(typed) == "003456789011"
    assert member_id.is_valid(typed)


@pytest.mark.parametrize("typed", ["00345678901", "0034567890112", "12"])
def test_one_digit_less_or_more_is_the_wrong_length(typed):
    with pytest.raises(InvalidLength):
        member_id.validate(typed)
    assert not member_id.is_valid(typed)


@pytest.mark.parametrize(
    "typed", ["", "00345678901A", "0034/5678/9011", "0034567890\n11", "٠٠٣٤٥٦٧٨٩٠١١", "²" * 12]
)
def test_anything_but_digits_is_the_wrong_format(typed):
    with pytest.raises(InvalidFormat):
        member_id.validate(typed)
    assert not member_id.is_valid(typed)


def test_it_is_read_aloud_in_groups_of_four():
    assert member_id.format("00345678-9011") == "0034 5678 9011"
