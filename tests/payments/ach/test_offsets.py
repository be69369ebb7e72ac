"""The account that balances a file: read strictly, never shown."""

import pytest

from payments.ach.offsets import UnableToReadOffsetAccount, make_offset, read_offset_account


def test_an_empty_setting_is_no_account() -> None:
    assert read_offset_account(text="") is None


@pytest.mark.parametrize(
    ("kind", "is_debit", "code"),
    [("checking", False, "22"), ("checking", True, "27"), ("savings", False, "32"), ("savings", True, "37")],
)
def test_debits_are_closed_by_a_credit_and_credits_by_a_debit(kind: str, is_debit: bool, code: str) -> None:
    account = read_offset_account(text=f"011000015:AB12345678:{kind}")
    assert account is not None
    entry = make_offset(
        account=account, cents=5, is_debit=is_debit, name="US", discretionary="S", trace_number="1"
    )
    assert (entry.transaction_code, entry.account_number, entry.amount_cents) == (code, "AB12345678", 5)


@pytest.mark.parametrize(
    "text",
    [
        "011000015",
        "011000015:12345678",
        "011000015:12345678:checking:",
        "011000016:12345678:checking",
        "000000000:12345678:checking",
        "011000015::checking",
        "011000015:123:checking",
        "011000015:123456789012345678:checking",
        "011000015:0000:checking",
        "011000015:1234 5678:checking",
        "011000015:12345678:loan",
        "011000015:12345678:checking\n",
        " 011000015:12345678:checking",
    ],
)
def test_anything_else_is_refused_without_naming_the_number(text: str) -> None:
    with pytest.raises(UnableToReadOffsetAccount) as refusal:
        read_offset_account(text=text)
    assert "1234" not in str(refusal.value)


def test_the_number_does_not_show() -> None:
    assert "12345678" not in repr(read_offset_account(text="011000015:12345678:checking"))
