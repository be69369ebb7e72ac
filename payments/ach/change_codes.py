"""Change codes: what a bank's notification of change corrects, read by position from its 29 columns."""

from dataclasses import dataclass
from enum import StrEnum

from payments.ach.routing_numbers import find_routing_fault
from payments.bank_numbers import UnableToUseAccountNumber, check_account_number

DEBIT_CODES = frozenset({"27", "28", "37", "38"})


class UnableToApplyCorrection(Exception):
    """A correction fails its own checks, or is none that may be applied unseen; the text never quotes it."""

    def __init__(self, *, code: str, problem: str) -> None:
        super().__init__(f"{code}: {problem}")
        self.code = code
        self.problem = problem


class Action(StrEnum):
    """What we do with a notification of change."""

    APPLY = "apply"
    IGNORE = "ignore"
    STAFF = "staff"


APPLY, IGNORE, STAFF = Action


@dataclass(frozen=True, slots=True)
class ChangeCode:
    """One kind of correction; `parts` says which columns of the corrected data, from 1, hold what."""

    code: str
    title: str
    action: Action
    parts: tuple[tuple[str, int, int], ...] = ()
    is_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What to change on a bank account; empty where the bank corrects nothing."""

    routing_number: str = ""
    account_number: str = ""
    transaction_code: str = ""

    @property
    def account_kind(self) -> str:
        """Checking or savings, as the corrected transaction code says; empty if it does not."""
        return {"2": "checking", "3": "savings"}.get(self.transaction_code[:1], "")


ROUTING, ACCOUNT, TRANSACTION = "routing_number", "account_number", "transaction_code"

ROWS = (
    ChangeCode("C01", "Account number", APPLY, ((ACCOUNT, 1, 17),)),
    ChangeCode("C02", "Routing number", APPLY, ((ROUTING, 1, 9),)),
    ChangeCode("C03", "Routing number and account number", APPLY, ((ROUTING, 1, 9), (ACCOUNT, 13, 29))),
    ChangeCode("C04", "Individual name (removed in 2015)", IGNORE),
    ChangeCode("C05", "Account type", APPLY, ((TRANSACTION, 1, 2),)),
    ChangeCode("C06", "Account number and account type", APPLY, ((ACCOUNT, 1, 17), (TRANSACTION, 21, 22))),
    ChangeCode("C07", "Routing number, account number and account type", APPLY,
               ((ROUTING, 1, 9), (ACCOUNT, 10, 26), (TRANSACTION, 27, 28))),
    ChangeCode("C08", "Receiving bank of an international entry", STAFF),
    ChangeCode("C09", "Individual identification number", STAFF),
    ChangeCode("C10", "Company name (retired)", STAFF),
    ChangeCode("C11", "Company identification (retired)", STAFF),
    ChangeCode("C12", "Company name and identification (retired)", STAFF),
    ChangeCode("C13", "Addenda format error", STAFF),
    ChangeCode("C14", "Must be sent as an international entry", STAFF),
    ChangeCode("C61", "Refused correction: misrouted", STAFF),
    ChangeCode("C62", "Refused correction: trace number", STAFF),
    ChangeCode("C63", "Refused correction: company identification", STAFF),
    ChangeCode("C64", "Refused correction: individual identification", STAFF),
    ChangeCode("C65", "Refused correction: corrected data", STAFF),
    ChangeCode("C66", "Refused correction: discretionary data", STAFF),
    ChangeCode("C67", "Refused correction: routing number", STAFF),
    ChangeCode("C68", "Refused correction: account number", STAFF),
    ChangeCode("C69", "Refused correction: transaction code", STAFF),
)  # fmt: skip

CHANGE_CODES = {row.code: row for row in ROWS}


def find_change_code(*, code: str) -> ChangeCode:
    """Give what a change code corrects; a code that the table does not know is for staff."""
    return CHANGE_CODES.get(code) or ChangeCode(code, "Unknown change code", STAFF, is_known=False)


def parse_correction(*, code: str, corrected_data: str) -> Correction:
    """Read what a notification of change corrects, each part from its own columns and checked.

    Blanks inside an account number are taken out: banks send them. Raises UnableToApplyCorrection for a code
    that is not applied unseen, for a part that is missing or wrong, and for anything in columns that should
    be blank.
    """
    row = find_change_code(code=code)
    if row.action is not APPLY:
        problem = "is ignored" if row.action is IGNORE else "is not applied without staff"
        raise UnableToApplyCorrection(code=code, problem=problem)
    rest = list(corrected_data.ljust(29))
    values = {}
    for name, first, last in row.parts:
        values[name] = corrected_data[first - 1 : last].replace(" ", "")
        rest[first - 1 : last] = " " * (last - first + 1)
    if "".join(rest).strip():
        raise UnableToApplyCorrection(code=code, problem="holds text in columns that should be blank")
    return Correction(**{name: _check_part(code, name, value) for name, value in values.items()})


def _check_part(code: str, name: str, value: str) -> str:
    """The part as it is kept; an account number by the rules for one that a payer types. Raises UnableToApplyCorrection."""
    problem = None
    if name == ROUTING:
        problem = find_routing_fault(routing_number=value)
    elif name == TRANSACTION and value not in DEBIT_CODES:
        problem = "must be 27, 28, 37 or 38"
    elif name == ACCOUNT:
        try:
            return check_account_number(value)
        except UnableToUseAccountNumber:
            problem = "must be 4 to 17 letters or digits, not all zeros"
    if problem:
        raise UnableToApplyCorrection(code=code, problem=f"{name.replace('_', ' ')} {problem}")
    return value
