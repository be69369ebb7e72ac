"""Return codes: why a bank sends a debit back, what we tell the member, what follows."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Retry(StrEnum):
    """Whether the same debit may be sent again."""

    UNCHANGED = "unchanged"
    AFTER_AUTHORIZATION = "after a new authorization"
    AFTER_CORRECTION = "after the cause is corrected"
    NEVER = "never"


class CountsAs(StrEnum):
    """Which return rate a code weighs on; every code weighs on the overall one."""

    FUNDS = "funds"
    ADMINISTRATIVE = "administrative"
    UNAUTHORIZED = "unauthorized"
    OTHER = "other"


UNCHANGED, AFTER_AUTHORIZATION, AFTER_CORRECTION, NEVER = Retry
FUNDS, ADMINISTRATIVE, UNAUTHORIZED, OTHER = CountsAs


@dataclass(frozen=True, slots=True)
class ReturnCode:
    """One reason for a return and all that follows from it.

    AutoPay goes on unless it is suspended (until member or staff act) or stopped (until set up anew). An
    alarm is for what we did wrong or what smells of fraud: staff look at it the same day. `is_between_banks`:
    a dishonored or contested return.
    """

    code: str
    title: str
    words_for_member: str
    words_for_staff: str
    blocks_account: bool = False
    revokes_authorization: bool = False
    suspends_autopay: bool = False
    stops_autopay: bool = False
    blocks_routing_number: bool = False
    retry: Retry = NEVER
    counts_as: CountsAs = OTHER
    needs_staff: bool = False
    alarm: bool = False
    is_known: bool = True
    is_between_banks: bool = False

    @property
    def closes_account(self) -> bool:
        """Whether no debit may be sent to this account any more: a blocked routing number reaches no bank."""
        return self.blocks_account or self.blocks_routing_number


TRY_AGAIN = "Please pay again, from this account or another."
USE_ANOTHER = "Please pay from another account."
CHECK_NUMBERS = "Please check the routing and account numbers and pay again."
OUR_MISTAKE = "Your bank could not process this payment. You did nothing wrong; please pay again."
CALL_US = "Please call us before you pay again."

OTHER_TRADE_MEMBER = f"Your bank returned this payment. {CALL_US}"
OTHER_TRADE = "Never sent by us, so never expected for a premium: ask our bank what it means."


def _describe_other(code: str, title: str) -> ReturnCode:
    """A code for entries of kinds that we never send: if it comes all the same, the money is back and staff look."""
    return ReturnCode(code, title, OTHER_TRADE_MEMBER, OTHER_TRADE, needs_staff=True, alarm=True)


def _describe_quarrel(code: str, title: str) -> ReturnCode:
    """Banks that disagree about a return: nothing is applied unseen, staff settle it with our bank."""
    return ReturnCode(
        code,
        title,
        OTHER_TRADE_MEMBER,
        "The banks disagree about a return: settle it with our bank by hand.",
        needs_staff=True,
        is_between_banks=True,
    )


ROWS = (
    ReturnCode("R01", "Insufficient funds",
               f"There was not enough money in the bank account. {TRY_AGAIN}",
               "May be sent again at most twice within 180 days of settlement, if retries are turned on.",
               retry=UNCHANGED, counts_as=FUNDS),
    ReturnCode("R02", "Account closed",
               f"The bank account is closed. {USE_ANOTHER}",
               "The account is blocked. Another account needs a new authorization and validation.",
               blocks_account=True, stops_autopay=True, counts_as=ADMINISTRATIVE),
    ReturnCode("R03", "No account or unable to locate account",
               f"Your bank found no account with this number and name. {CHECK_NUMBERS}",
               "The account is blocked. A name that does not match the number is returned with this "
               "code too.",
               blocks_account=True, stops_autopay=True, retry=AFTER_CORRECTION, counts_as=ADMINISTRATIVE),
    ReturnCode("R04", "Invalid account number",
               f"The account number is not one that your bank uses. {CHECK_NUMBERS}",
               "The account is blocked: the number has the wrong length or form.",
               blocks_account=True, stops_autopay=True, retry=AFTER_CORRECTION, counts_as=ADMINISTRATIVE),
    ReturnCode("R05", "Unauthorized debit to a consumer account with a corporate code",
               f"Your bank returned this payment as not authorized. {CALL_US}",
               "Should not happen with WEB, TEL or PPD: find out how the entry was coded.",
               revokes_authorization=True, stops_autopay=True, counts_as=UNAUTHORIZED, needs_staff=True,
               alarm=True),
    ReturnCode("R06", "Returned at our bank's request",
               f"Our bank asked your bank to return this payment. {CALL_US}",
               "Our bank asked for it: find out why before the member pays again.", needs_staff=True),
    ReturnCode("R07", "Authorization revoked",
               "Your bank says that you withdrew your permission for this payment. To pay this way again, "
               "please give a new authorization.",
               "The authorization is revoked. Only a wholly new one allows another debit.",
               revokes_authorization=True, stops_autopay=True, counts_as=UNAUTHORIZED),
    ReturnCode("R08", "Payment stopped",
               "You or someone on the account asked the bank to stop this payment. Please tell us "
               "whether AutoPay should go on, and pay this bill.",
               "The stop may cover one debit or all: AutoPay waits for the member's word.",
               suspends_autopay=True, retry=AFTER_AUTHORIZATION),
    ReturnCode("R09", "Uncollected funds",
               f"The money in the bank account was not yet available. {TRY_AGAIN}",
               "May be sent again; counts with R01 toward the same two tries.",
               retry=UNCHANGED, counts_as=FUNDS),
    ReturnCode("R10", "Originator not known or debit not authorized",
               f"Your bank returned this payment as not authorized. {CALL_US}",
               "Possible fraud: review, and keep the proof of authorization ready for 10 banking days.",
               blocks_account=True, revokes_authorization=True, stops_autopay=True, counts_as=UNAUTHORIZED,
               needs_staff=True, alarm=True),
    ReturnCode("R11", "Not in accordance with the authorization",
               "Your bank says that the amount or date differs from what you agreed to. We are "
               "looking into it.",
               "Correct within 60 days of the return's settlement; no new authorization is needed, and the "
               "new entry is no retry.",
               suspends_autopay=True, retry=AFTER_CORRECTION, counts_as=UNAUTHORIZED, needs_staff=True),
    ReturnCode("R12", "Account sold to another bank",
               "Your account has moved to another bank. Please give us its new routing and account numbers.",
               "Ask for the new bank's numbers.",
               stops_autopay=True, retry=AFTER_CORRECTION),
    ReturnCode("R13", "Invalid routing number",
               "The routing number does not belong to a bank that takes electronic payments. "
               f"{CHECK_NUMBERS}",
               "The routing number is blocked. Our directory of banks may be out of date.",
               blocks_routing_number=True, retry=AFTER_CORRECTION, needs_staff=True),
    ReturnCode("R14", "Representative payee deceased or unable to continue",
               f"Your bank could not process this payment. {CALL_US}",
               "Speak with the household with care; the return may carry a date of death.",
               stops_autopay=True, needs_staff=True),
    ReturnCode("R15", "Beneficiary or account holder deceased",
               f"Your bank could not process this payment. {CALL_US}",
               "Speak with the household with care; the return may carry a date of death, an "
               "enrollment event.",
               stops_autopay=True, needs_staff=True),
    ReturnCode("R16", "Account frozen",
               f"Your bank says that payments from this account are not possible now. {USE_ANOTHER}",
               "The account is blocked. Do not discuss the reason with the payer.",
               blocks_account=True, stops_autopay=True, needs_staff=True),
    ReturnCode("R17", "File record edit criteria", OUR_MISTAKE,
               "The bank's own words stand in the return. Likely a defect of ours.",
               retry=AFTER_CORRECTION, needs_staff=True, alarm=True),
    ReturnCode("R18", "Improper effective entry date", OUR_MISTAKE,
               "A defect of our calendar: the date must be one banking day after the file's day.",
               retry=AFTER_CORRECTION, needs_staff=True, alarm=True),
    ReturnCode("R19", "Amount field error", OUR_MISTAKE,
               "A defect of our file: a live entry of zero or a prenote with an amount.",
               retry=AFTER_CORRECTION, needs_staff=True, alarm=True),
    ReturnCode("R20", "Non-transaction account",
               f"This account does not allow electronic payments. {USE_ANOTHER}",
               "The account is blocked: a savings account with limits, or the like.",
               blocks_account=True, stops_autopay=True),
    ReturnCode("R21", "Invalid company identification", OUR_MISTAKE,
               "The bank does not know our company identification.",
               retry=AFTER_CORRECTION, needs_staff=True, alarm=True),
    ReturnCode("R22", "Invalid individual identification", OUR_MISTAKE,
               "The bank does not know the individual identification number.",
               retry=AFTER_CORRECTION, needs_staff=True, alarm=True),
    ReturnCode("R23", "Credit refused by receiver",
               f"Your bank did not take the refund that we sent. {CALL_US}",
               "A refund came back: find another way to pay it out.", needs_staff=True),
    ReturnCode("R24", "Duplicate entry",
               "Your bank returned this payment because it looked like one sent twice.",
               "We may have sent it twice: compare the two entries at once.", needs_staff=True, alarm=True),
    ReturnCode("R25", "Addenda error", OUR_MISTAKE, "A defect of our file: the addenda.",
               retry=AFTER_CORRECTION, needs_staff=True, alarm=True),
    ReturnCode("R26", "Mandatory field error", OUR_MISTAKE, "A defect of our file: a field left blank.",
               retry=AFTER_CORRECTION, needs_staff=True, alarm=True),
    ReturnCode("R27", "Trace number error", OUR_MISTAKE, "A defect of our file: the trace number.",
               retry=AFTER_CORRECTION, needs_staff=True, alarm=True),
    ReturnCode("R28", "Routing number check digit error",
               f"The routing number is wrong. {CHECK_NUMBERS}",
               "The routing number is blocked. Our own check should have refused it.",
               blocks_routing_number=True, retry=AFTER_CORRECTION, needs_staff=True, alarm=True),
    ReturnCode("R29", "Corporate customer advises not authorized",
               "This is a business account and its bank returned the payment as not authorized. Please "
               "pay from another account, or ask the bank to allow payments to us.",
               "A business account with a debit filter: it must list our company identification first.",
               blocks_account=True, revokes_authorization=True, stops_autopay=True, counts_as=UNAUTHORIZED,
               needs_staff=True),
    *(_describe_other(code, title) for code, title in (
        ("R30", "Receiving bank not in the check truncation program"),
        ("R31", "Permissible return of a corporate entry"),
    )),
    ReturnCode("R32", "Receiving bank non-settlement", OUR_MISTAKE,
               "The receiving bank could not settle: it may be failing.",
               retry=AFTER_CORRECTION, needs_staff=True),
    _describe_other("R33", "Return of a destroyed check entry"),
    ReturnCode("R34", "Limited participation bank",
               f"This bank does not take payments of this kind. {USE_ANOTHER}",
               "A supervisor limits what this bank may do.", stops_autopay=True, needs_staff=True),
    ReturnCode("R35", "Improper debit entry",
               f"This account does not allow payments like this one. {USE_ANOTHER}",
               "The account is blocked: a loan, or another account that cannot be debited.",
               blocks_account=True, needs_staff=True),
    *(_describe_other(code, title) for code, title in (
        ("R36", "Improper credit entry"),
        ("R37", "Source document presented for payment"),
        ("R38", "Stop payment on source document"),
        ("R39", "Improper source document"),
        ("R40", "Return of an automated enrollment entry by a federal agency"),
        ("R41", "Invalid transaction code of an automated enrollment entry"),
        ("R42", "Routing number or check digit error of an automated enrollment entry"),
        ("R43", "Invalid account number of an automated enrollment entry"),
        ("R44", "Invalid individual identification of an automated enrollment entry"),
        ("R45", "Invalid individual name of an automated enrollment entry"),
        ("R46", "Invalid representative payee indicator of an automated enrollment entry"),
        ("R47", "Duplicate automated enrollment entry"),
        ("R50", "State law affecting the acceptance of re-presented checks"),
    )),
    ReturnCode("R51", "Improper re-presented check", OTHER_TRADE_MEMBER, OTHER_TRADE, counts_as=UNAUTHORIZED,
               needs_staff=True, alarm=True),
    _describe_other("R52", "Stop payment on a re-presented check"),
    _describe_other("R53", "Check and its re-presented entry both presented"),
    *(_describe_quarrel(code, title) for code, title in (
        ("R61", "Dishonored return: misrouted"),
        ("R62", "Dishonored return: erroneous or reversing debit"),
        ("R67", "Dishonored return: duplicate return"),
        ("R68", "Dishonored return: untimely"),
        ("R69", "Dishonored return: field errors"),
        ("R70", "Dishonored return: permissible return not accepted"),
        ("R71", "Contested dishonored return: misrouted"),
        ("R72", "Contested dishonored return: untimely"),
        ("R73", "Contested dishonored return: timely original return"),
        ("R74", "Contested dishonored return: corrected return"),
        ("R75", "Contested dishonored return: original return not a duplicate"),
        ("R76", "Contested dishonored return: no errors found"),
        ("R77", "Contested dishonored return: funds were not recovered"),
    )),
    *(_describe_other(code, title) for code, title in (
        ("R80", "International entry coding error"),
        ("R81", "Bank takes no international entries"),
        ("R82", "Invalid foreign bank identification"),
        ("R83", "Foreign bank unable to settle"),
        ("R84", "Entry not processed by the gateway"),
        ("R85", "Incorrectly coded outbound international payment"),
    )),
    ReturnCode("R90", "Sanctions compliance",
               f"Your bank could not process this payment. {CALL_US}",
               "Do not discuss the reason with the payer.", stops_autopay=True, needs_staff=True),
)  # fmt: skip

RETURN_CODES = {row.code: row for row in ROWS}
LACK_OF_FUNDS = frozenset(row.code for row in ROWS if row.counts_as is FUNDS)
BLOCKS_ROUTING = frozenset(row.code for row in ROWS if row.blocks_routing_number)

QUESTIONABLE = "QUESTIONABLE"


def find_return_code(*, code: str, addenda_information: str = "") -> ReturnCode:
    """Give what follows from a return code.

    A code that the table does not know gets a row too, flagged for staff: nothing a bank sends is dropped.
    R17 with QUESTIONABLE in its addenda information means suspected fraud.
    """
    row = RETURN_CODES.get(code)
    if row is None and "R61" <= code <= "R77":
        return replace(_describe_quarrel(code, "Unknown code between banks"), is_known=False)
    if row is None:
        return ReturnCode(
            code,
            "Unknown return code",
            f"Your bank returned this payment. {CALL_US}",
            "A code that is not in our table: ask our bank what it means.",
            needs_staff=True,
            is_known=False,
        )
    if code == "R17" and QUESTIONABLE in addenda_information.upper():
        return replace(
            row,
            title="Suspected fraud",
            words_for_member=f"Your bank returned this payment as questionable. {CALL_US}",
            words_for_staff="The bank suspects fraud: review who authorized it.",
            stops_autopay=True,
            retry=NEVER,
        )
    return row
