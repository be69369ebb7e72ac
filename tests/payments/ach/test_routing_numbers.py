"""Which nine digits can be a bank's routing number."""

import pytest

from payments.ach.routing_numbers import HASH_PARTS, compute_check_digit, find_routing_fault


def test_the_check_digit_of_the_rules_example() -> None:
    assert compute_check_digit(digits="07640125") == "1"


def test_a_right_routing_number_has_no_fault_and_adds_its_first_eight_digits() -> None:
    assert find_routing_fault(routing_number="076401251") is None
    assert HASH_PARTS["076401251"] == 7640125


@pytest.mark.parametrize(
    ("routing_number", "words"),
    [
        ("076401252", "check digit"),
        ("000000000", "begin with"),
        ("130000009", "begin with"),
        ("800000000", "begin with"),
        ("07640125", "9 digits"),
        ("0764012510", "9 digits"),
        ("07640125²", "9 digits"),
        ("07640125A", "9 digits"),
    ],
)
def test_a_wrong_routing_number_is_refused_in_plain_words(routing_number: str, words: str) -> None:
    assert words in str(find_routing_fault(routing_number=routing_number))
    assert HASH_PARTS[routing_number] is None


@pytest.mark.parametrize(
    ("prefix", "is_right"),
    [(0, False), (1, True), (12, True), (13, False), (20, False), (21, True), (32, True), (33, False),
     (60, False), (61, True), (72, True), (73, False), (80, False), (99, False)],
)  # fmt: skip
def test_only_the_prefixes_of_banks_are_taken(prefix: int, is_right: bool) -> None:
    digits = f"{prefix:02}000000"
    routing_number = digits + compute_check_digit(digits=digits)
    assert (find_routing_fault(routing_number=routing_number) is None) == is_right
