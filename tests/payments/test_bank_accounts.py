"""Bank accounts: which numbers are taken, how they are kept, who may use them again, how they are validated."""

from datetime import date

import pytest
from django.core.exceptions import ImproperlyConfigured

from connector_pay.lib.models import SealedValue
from payments.bank.magic_accounts import MAGIC_ACCOUNTS, describe_magic_accounts
from payments.bank_accounts import open_account_number, register, validate
from payments.bank_numbers import (
    UnableToUseAccountNumber,
    UnableToUseBankAccount,
    UnableToUseRoutingNumber,
    check_account_number,
    check_routing_number,
    looks_like_card,
)
from payments.confirmation import ALPHABET, compact_number, format_number, make_number
from payments.models import BankAccount
from payments.validation import list_methods
from tests.payments.paying import GOOD, make_details, noon
from tests.people import make_user

AT = noon(date(2027, 1, 12))


@pytest.mark.parametrize("typed", ["011000015", " 0110-0001 5 ", "0110 0001 5"])
def test_a_routing_number_is_taken_as_people_type_it(typed: str) -> None:
    assert check_routing_number(typed) == "011000015"


@pytest.mark.parametrize(
    "typed", ["", "000000000", "011000016", "01100001", "0110000155", "800000007", "٠١١٠٠٠٠١٥"]
)
def test_what_is_no_bank_s_routing_number_is_refused(typed: str) -> None:
    with pytest.raises(UnableToUseRoutingNumber, match="9-digit routing number"):
        check_routing_number(typed)


@pytest.mark.parametrize(
    ("typed", "kept"), [("1234", "1234"), ("12-34 56", "123456"), ("ab12cd", "AB12CD"), ("1" * 17, "1" * 17)]
)
def test_an_account_number_has_4_to_17_letters_or_digits(typed: str, kept: str) -> None:
    assert check_account_number(typed) == kept


@pytest.mark.parametrize("typed", ["", "123", "1" * 18, "0000", "12_34", "12é4", "٤٥٦٧", "<b>1234</b>"])
def test_what_cannot_be_an_account_number_is_refused(typed: str) -> None:
    with pytest.raises(UnableToUseAccountNumber):
        check_account_number(typed)


@pytest.mark.parametrize(
    "typed", ["4242 4242 4242 4242", "5555-5555-5555-4444", "378282246310005", "6011111111111117"]
)
def test_a_card_number_is_known(typed: str) -> None:
    assert looks_like_card(typed)


@pytest.mark.parametrize("typed", ["4242424242424241", "1234567812345670", "424242424242", GOOD, "abc", ""])
def test_what_is_no_card_number_is_not_taken_for_one(typed: str) -> None:
    assert not looks_like_card(typed)


def test_no_magic_number_looks_like_a_card_and_each_says_what_it_does() -> None:
    assert not any(looks_like_card(number) for number in MAGIC_ACCOUNTS)
    assert set(describe_magic_accounts()) == set(MAGIC_ACCOUNTS)
    assert {row.code for row in MAGIC_ACCOUNTS.values()} == {"R01", "R02", "R03", "R10", "C01", ""}


def test_details_never_show_their_number() -> None:
    assert GOOD not in repr(make_details())
    assert GOOD not in str([make_details()])


@pytest.mark.django_db
def test_the_number_is_sealed_and_read_by_one_function_alone() -> None:
    account = register(details=make_details(), owner=None, at=AT)
    assert (account.last_four, open_account_number(bank_account=account)) == ("4567", GOOD)
    assert GOOD.encode() not in bytes(SealedValue.objects.get().token)


@pytest.mark.django_db
def test_a_member_s_account_is_kept_once_and_a_guest_s_never_used_again() -> None:
    owner, other = make_user(), make_user()
    first = register(details=make_details(), owner=owner, at=AT)
    assert register(details=make_details("4820-0123-4567"), owner=owner, at=AT) == first
    assert register(details=make_details(kind="savings"), owner=owner, at=AT) != first
    assert register(details=make_details(), owner=other, at=AT) != first
    guest = register(details=make_details(), owner=None, at=AT)
    assert register(details=make_details(), owner=None, at=AT) != guest
    assert BankAccount.objects.values("blind_index").distinct().count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    ["\ufc5e", "\x01" * 22 + "A", "Alice\x7f Alvarez", "\ufc5e" * 30 + "A", "0" * 22 + " Alvarez", "0 0"],
)
def test_a_name_that_a_bank_file_would_leave_blank_is_refused(name: str) -> None:
    with pytest.raises(UnableToUseBankAccount, match="as your bank writes it, in letters"):
        register(details=make_details(holder_name=name), owner=None, at=AT)
    assert not BankAccount.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Zoë  Müller", "王小明", "O’Brien\tJr.", "a"])
def test_a_name_is_taken_in_any_letters(name: str) -> None:
    kept = register(details=make_details(holder_name=name), owner=None, at=AT)
    assert kept.holder_name == " ".join(name.split())


@pytest.mark.django_db
@pytest.mark.parametrize("changes", [{"kind": "loan"}, {"holder_name": "  "}])
def test_an_account_without_a_kind_or_a_name_is_refused(changes: dict) -> None:
    with pytest.raises(UnableToUseBankAccount):
        register(details=make_details(**changes), owner=None, at=AT)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("number", "status"), [(GOOD, "valid"), ("1000000001", "valid"), ("1000000099", "failed")]
)
def test_the_sandbox_answers_at_once(number: str, status: str) -> None:
    account = register(details=make_details(number), owner=None, at=AT)
    assert validate(bank_account=account, at=AT) == status
    assert validate(bank_account=account, at=AT) == status
    assert list(account.validations.order_by("pk").values_list("method", flat=True)) == ["history", "instant"]
    assert (account.moves.get().after, account.moves.get().why) == (status, "instant")


@pytest.mark.django_db
def test_where_only_staff_validate_the_account_waits(settings) -> None:
    settings.BANK_VALIDATION_METHODS = ["manual"]
    account = register(details=make_details(), owner=None, at=AT)
    assert validate(bank_account=account, at=AT) == "unchecked"
    assert validate(bank_account=account, at=AT) == "unchecked"
    assert account.validations.get().outcome == "pending"


def test_the_sandbox_s_provider_is_not_there_with_another_bank(settings) -> None:
    settings.BANK_DRIVER = "folder"
    with pytest.raises(ImproperlyConfigured):
        list_methods()


def test_confirmation_numbers_have_ten_characters_that_nobody_mistakes() -> None:
    numbers = {make_number() for _ in range(1_000)}
    assert len(numbers) == 1_000
    assert all(len(number) == 10 and set(number) <= set(ALPHABET) for number in numbers)
    assert not set(ALPHABET) & set("0O1ILU")
    assert format_number("ABCDEFGHJK") == "ABCDE-FGHJK"
    assert compact_number(" abcde-fghjk ") == "ABCDEFGHJK"
