"""The numbers of the exchange's payment policy: each rule's default, changed by settings.PREMIUM_POLICY and nowhere else."""

from dataclasses import dataclass, replace
from datetime import time
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Policy:
    """Defaults are the exchange's published rules; each field says in what unit it counts."""

    due_day: int = 23  # of the month before the coverage month
    enrollment_window_days: int = 60  # from the requested start, where intake names no end of the window
    file_cutoff: time = time(17, 0)  # Eastern, banking days only
    posting_banking_days: int = 3  # after settlement
    autopay_day: int = 22  # of the month: the day on which an AutoPay draft counts as received
    autopay_last_day: int = 19  # of the month: AutoPay turned on later drafts from the next month on
    autopay_notice_days: int = 10  # before the draft: by then its amount must have been announced
    refund_banking_days: int = 5  # after settlement, before a debit's money is refunded
    refund_check_banking_days: int = 10  # after deposit, before a check's money is refunded
    reversal_banking_days: int = 5  # after settlement: by then the payer's bank must have the reversal
    letter_banking_days: int = 3  # most that a letter about a pushed start waits for the lockbox's file
    minimum_payment_cents: int = 1_00
    maximum_payment_cents: int = 10_000_00
    maximum_premiums_ahead: int = 3
    duplicate_warning_days: int = 10
    longest_hold_days: int = 5  # a payment on hold for longer is for staff to look at
    bill_link_days: int = 180  # how long the code on a bill opens guest payment
    draft_minutes: int = 60  # how long a half-typed payment is kept
    guest_find_per_address: int = 10  # distinct identifiers from one address in the window
    guest_find_per_identifier: int = 10  # look-ups of one identifier in the window
    guest_find_overall: int = 600  # look-ups by everyone in the window
    guest_find_window_minutes: int = 15
    bank_names_per_address: int = 60  # names of banks that a page may ask for from one address in the window
    termination_banking_days: int = 5  # after the last day to pay, before coverage may end
    reinstatement_days: int = 35  # after the termination notice, to ask for the coverage back
    alone_limit_cents: int = 500_00  # most that one person adjusts or waives alone, of one account
    alone_limit_days: int = 30  # the days over which that is counted
    check_alone_limit_cents: int = 10_000_00  # most of a check that who records it puts on accounts alone
    longest_extension_days: int = 60  # by which a due date may be moved, from where it stands
    outage_days: int = 1  # more to pay, from the day on which an outage ended
    retry_returns: bool = False  # whether a debit returned for want of funds is sent again by itself
    retry_after_banking_days: int = 2  # from the day of the return to the file of the retry
    pause_after_returns: int = 2  # for want of funds, of payments that are not retries, from one bank account
    pause_window_months: int = 6
    # Return rates in hundredths of a percent of the debits of 60 days: when to warn, and the network's limits.
    unauthorized_warning: int = 30
    unauthorized_limit: int = 50
    administrative_warning: int = 200
    administrative_limit: int = 300
    overall_warning: int = 10_00
    overall_limit: int = 15_00


def read_policy() -> Policy:
    """The policy of this installation: the defaults, with the fields that settings.PREMIUM_POLICY names."""
    from django.conf import settings

    return _make_policy(**settings.PREMIUM_POLICY)


@cache
def _make_policy(**named: Any) -> Policy:
    return replace(Policy(), **named)
