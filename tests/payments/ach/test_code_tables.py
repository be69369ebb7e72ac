"""Each return and change code, row by row, as the table of the rules has it (the bank side's facts, 1.12 and 1.13)."""

import pytest

from payments.ach.change_codes import CHANGE_CODES, Action, find_change_code
from payments.ach.return_codes import RETURN_CODES, CountsAs, Retry, find_return_code

# code: retry (Y unchanged, A after a new authorization, C after correction, N never), rate (F funds, D administrative,
# U unauthorized, - only the overall one), then b block the account, g block the routing number, r revoke the authorization,
# s suspend AutoPay, x stop it, a alarm, q staff.
RETURNS = {
    "R01": "YF", "R02": "NDbx", "R03": "CDbx", "R04": "CDbx", "R05": "NUrxaq", "R06": "N-q",
    "R07": "NUrx", "R08": "A-s", "R09": "YF", "R10": "NUbrxaq", "R11": "CUsq", "R12": "C-x",
    "R13": "C-gq", "R14": "N-xq", "R15": "N-xq", "R16": "N-bxq", "R17": "C-aq", "R18": "C-aq",
    "R19": "C-aq", "R20": "N-bx", "R21": "C-aq", "R22": "C-aq", "R23": "N-q", "R24": "N-aq",
    "R25": "C-aq", "R26": "C-aq", "R27": "C-aq", "R28": "C-gaq", "R29": "NUbrxq", "R30": "N-aq",
    "R31": "N-aq", "R32": "C-q", "R33": "N-aq", "R34": "N-xq", "R35": "N-bq", "R36": "N-aq",
    "R37": "N-aq", "R38": "N-aq", "R39": "N-aq", "R40": "N-aq", "R41": "N-aq", "R42": "N-aq",
    "R43": "N-aq", "R44": "N-aq", "R45": "N-aq", "R46": "N-aq", "R47": "N-aq", "R50": "N-aq",
    "R51": "NUaq", "R52": "N-aq", "R53": "N-aq", "R61": "N-q", "R62": "N-q", "R67": "N-q",
    "R68": "N-q", "R69": "N-q", "R70": "N-q", "R71": "N-q", "R72": "N-q", "R73": "N-q",
    "R74": "N-q", "R75": "N-q", "R76": "N-q", "R77": "N-q", "R80": "N-aq", "R81": "N-aq",
    "R82": "N-aq", "R83": "N-aq", "R84": "N-aq", "R85": "N-aq", "R90": "N-xq",
}  # fmt: skip
RETRY = {
    "Y": Retry.UNCHANGED,
    "A": Retry.AFTER_AUTHORIZATION,
    "C": Retry.AFTER_CORRECTION,
    "N": Retry.NEVER,
}
RATE = {
    "F": CountsAs.FUNDS,
    "D": CountsAs.ADMINISTRATIVE,
    "U": CountsAs.UNAUTHORIZED,
    "-": CountsAs.OTHER,
}
FLAGS = {
    "b": "blocks_account",
    "g": "blocks_routing_number",
    "r": "revokes_authorization",
    "s": "suspends_autopay",
    "x": "stops_autopay",
    "a": "alarm",
    "q": "needs_staff",
}
CHANGES = {
    "C01": Action.APPLY, "C02": Action.APPLY, "C03": Action.APPLY, "C04": Action.IGNORE, "C05": Action.APPLY,
    "C06": Action.APPLY, "C07": Action.APPLY, "C08": Action.STAFF, "C09": Action.STAFF, "C10": Action.STAFF,
    "C11": Action.STAFF, "C12": Action.STAFF, "C13": Action.STAFF, "C14": Action.STAFF, "C61": Action.STAFF,
    "C62": Action.STAFF, "C63": Action.STAFF, "C64": Action.STAFF, "C65": Action.STAFF, "C66": Action.STAFF,
    "C67": Action.STAFF, "C68": Action.STAFF, "C69": Action.STAFF,
}  # fmt: skip
PARTS = {
    "C01": {"account_number": (1, 17)},
    "C02": {"routing_number": (1, 9)},
    "C03": {"routing_number": (1, 9), "account_number": (13, 29)},
    "C05": {"transaction_code": (1, 2)},
    "C06": {"account_number": (1, 17), "transaction_code": (21, 22)},
    "C07": {"routing_number": (1, 9), "account_number": (10, 26), "transaction_code": (27, 28)},
}
# What the payer must hear of each reason, and what must never be said of it.
SAID = {
    "R01": "not enough money", "R02": "is closed", "R03": "no account", "R04": "not one that your bank uses",
    "R05": "not authorized", "R06": "Our bank asked", "R07": "withdrew your permission", "R08": "to stop this payment",
    "R09": "not yet available", "R10": "not authorized", "R11": "differs from what you agreed",
    "R12": "moved to another bank", "R13": "routing number", "R16": "not possible now", "R20": "does not allow",
    "R23": "refund", "R24": "sent twice", "R28": "routing number is wrong", "R29": "business account",
    "R34": "does not take payments", "R35": "does not allow",
}  # fmt: skip
UNSAID = {"R14": "deceased", "R15": "deceased", "R16": "frozen", "R90": "sanction"}


def test_the_tables_have_these_rows_and_no_other() -> None:
    assert RETURN_CODES.keys() == RETURNS.keys()
    assert CHANGE_CODES.keys() == CHANGES.keys()


@pytest.mark.parametrize("code", sorted(RETURNS))
def test_a_return_code_does_what_its_row_says(code: str) -> None:
    row, (retry, rate, *flags) = find_return_code(code=code), RETURNS[code]
    assert (row.retry, row.counts_as) == (RETRY[retry], RATE[rate])
    assert {FLAGS[flag] for flag in flags} == {name for name in FLAGS.values() if getattr(row, name)}
    assert row.is_known
    assert row.is_between_banks == ("R61" <= code <= "R77")
    assert row.title
    assert row.words_for_staff.endswith(".")
    assert SAID.get(code, "") in row.words_for_member
    assert UNSAID.get(code, "?") not in row.words_for_member.lower()


def test_a_questionable_r17_stops_autopay_and_is_never_sent_again() -> None:
    row = find_return_code(code="R17", addenda_information="questionable entry")
    assert (row.stops_autopay, row.retry, row.alarm, row.title) == (
        True,
        Retry.NEVER,
        True,
        "Suspected fraud",
    )
    assert "questionable" in row.words_for_member
    assert find_return_code(code="R03", addenda_information="QUESTIONABLE") == RETURN_CODES["R03"]


@pytest.mark.parametrize(("code", "between"), [("R60", False), ("R63", True), ("R78", False), ("R99", False)])
def test_an_unknown_code_is_for_staff_and_a_number_between_banks_is_never_a_return(
    code: str, between: bool
) -> None:
    row = find_return_code(code=code)
    assert (row.is_known, row.needs_staff, row.is_between_banks) == (False, True, between)


@pytest.mark.parametrize("code", sorted(CHANGES))
def test_a_change_code_corrects_what_its_row_says(code: str) -> None:
    row = find_change_code(code=code)
    assert (row.action, row.is_known) == (CHANGES[code], True)
    assert {name: (first, last) for name, first, last in row.parts} == PARTS.get(code, {})
