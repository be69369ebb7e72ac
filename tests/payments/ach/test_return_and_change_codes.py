"""What return codes and change codes do."""

import pytest

from payments.ach.change_codes import Action, UnableToApplyCorrection, find_change_code, parse_correction
from payments.ach.return_codes import RETURN_CODES, CountsAs, Retry, find_return_code


def list_codes(**wanted: object) -> set[str]:
    return {
        row.code
        for row in RETURN_CODES.values()
        if all(getattr(row, name) == value for name, value in wanted.items())
    }


def test_only_a_lack_of_funds_may_be_sent_again_unchanged() -> None:
    assert list_codes(retry=Retry.UNCHANGED) == list_codes(counts_as=CountsAs.FUNDS) == {"R01", "R09"}


def test_the_return_rates_count_the_codes_of_the_rules() -> None:
    assert list_codes(counts_as=CountsAs.ADMINISTRATIVE) == {"R02", "R03", "R04"}
    assert list_codes(counts_as=CountsAs.UNAUTHORIZED) == {"R05", "R07", "R10", "R11", "R29", "R51"}


def test_autopay_stops_or_waits_on_the_codes_of_the_rules() -> None:
    assert list_codes(suspends_autopay=True) == {"R08", "R11"}
    assert list_codes(stops_autopay=True) == {
        "R02", "R03", "R04", "R05", "R07", "R10", "R12", "R14", "R15", "R16", "R20", "R29", "R34", "R90",
    }  # fmt: skip


def test_accounts_are_blocked_and_authorizations_revoked_on_the_codes_of_the_rules() -> None:
    assert list_codes(blocks_account=True) == {"R02", "R03", "R04", "R10", "R16", "R20", "R29", "R35"}
    assert list_codes(revokes_authorization=True) == {"R05", "R07", "R10", "R29"}


def test_an_unknown_code_is_for_staff() -> None:
    row = find_return_code(code="R99")
    assert (row.code, row.is_known, row.needs_staff) == ("R99", False, True)


def test_a_questionable_entry_is_suspected_fraud() -> None:
    assert find_return_code(code="R17").stops_autopay is False
    row = find_return_code(code="R17", addenda_information="QUESTIONABLE")
    assert (row.stops_autopay, row.retry, row.alarm) == (True, Retry.NEVER, True)


@pytest.mark.parametrize("code", sorted(RETURN_CODES))
def test_every_code_has_words_for_the_member_without_a_code_in_them(code: str) -> None:
    row = RETURN_CODES[code]
    assert row.words_for_member.endswith(".")
    assert row.words_for_staff.endswith(".")
    assert code not in row.words_for_member


CORRECTIONS = [
    ("C01", "987654321", ("", "987654321", "")),
    ("C02", "076401251", ("076401251", "", "")),
    ("C03", "076401251   987654321", ("076401251", "987654321", "")),
    ("C05", "37", ("", "", "37")),
    ("C06", "123456789 111       27", ("", "123456789111", "27")),
    ("C07", "076401251" + "987654321".ljust(17) + "37", ("076401251", "987654321", "37")),
]


@pytest.mark.parametrize(("code", "data", "expected"), CORRECTIONS)
def test_a_correction_is_read_by_position(code: str, data: str, expected: tuple[str, str, str]) -> None:
    for text in (data, data.ljust(29)):
        correction = parse_correction(code=code, corrected_data=text)
        assert (correction.routing_number, correction.account_number, correction.transaction_code) == expected


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("C01", ""),
        ("C01", "123"),
        ("C01", "12_456"),
        ("C01", "<b>12345</b>"),
        ("C01", "0" * 17),
        ("C01", "123456789         1"),
        ("C02", "076401252"),
        ("C02", "76401251"),
        ("C02", "076401251 X"),
        ("C03", "076401251987654321"),
        ("C03", "076401251"),
        ("C05", "22"),
        ("C05", "55"),
        ("C05", "27 37"),
        ("C06", "123456789 27"),
        ("C07", "076401251   987654321"),
        ("C09", "PAY0000001"),
        ("C13", ""),
        ("C99", "1"),
        ("C04", "JANE DOE"),
    ],
)
def test_a_correction_that_fails_its_checks_is_not_applied(code: str, data: str) -> None:
    with pytest.raises(UnableToApplyCorrection):
        parse_correction(code=code, corrected_data=data)


def test_the_account_kind_follows_the_transaction_code() -> None:
    assert parse_correction(code="C05", corrected_data="37").account_kind == "savings"
    assert parse_correction(code="C05", corrected_data="27").account_kind == "checking"
    assert parse_correction(code="C01", corrected_data="1234").account_kind == ""


def test_a_name_change_is_ignored_and_an_unknown_change_is_for_staff() -> None:
    assert find_change_code(code="C04").action is Action.IGNORE
    assert (find_change_code(code="C99").action, find_change_code(code="C99").is_known) == (
        Action.STAFF,
        False,
    )
