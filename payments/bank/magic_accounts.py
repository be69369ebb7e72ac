"""Magic accounts: numbers on which the sandbox bank does what real banks do on bad days. Any routing number goes with them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MagicAccount:
    """What the sandbox does with debits of one account number, so many banking days after they settle."""

    number: str
    does: str
    code: str = ""
    banking_days: int = 0
    corrected_number: str = ""
    fails_validation: bool = False


_ROWS = (
    MagicAccount("1000000001", "Returned R01: not enough money in the account", "R01", banking_days=3),
    MagicAccount("1000000002", "Returned R02: the account is closed", "R02", banking_days=2),
    MagicAccount("1000000003", "Returned R03: no such account at this bank", "R03", banking_days=2),
    MagicAccount(
        "1000000010",
        "Returned R10, late: the payment had posted, then the account holder said it was not authorized",
        "R10",
        banking_days=8,
    ),
    MagicAccount(
        "1000000098",
        "Paid, and corrected C01: the bank tells us a new account number, ending 0198",
        "C01",
        banking_days=2,
        corrected_number="2000000198",
    ),
    MagicAccount(
        "1000000099",
        "Fails the instant check: the payment is returned before it is sent",
        fails_validation=True,
    ),
)
MAGIC_ACCOUNTS: dict[str, MagicAccount] = {row.number: row for row in _ROWS}


def find_magic_account(number: str) -> MagicAccount | None:
    """What is special about an account number in the sandbox, None if nothing is."""
    return MAGIC_ACCOUNTS.get(number)


def describe_magic_accounts() -> dict[str, str]:
    """Each magic number and what it does, in plain words."""
    return {row.number: row.does for row in _ROWS}
