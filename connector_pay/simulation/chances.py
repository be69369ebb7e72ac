"""How often things happen in a simulation: one table of weights, and dice of their own for each purpose.

A weight of 0 turns a thing off; the others of its kind then share what is left. Each roll is made from the seed and
from what it is for, so that one more of it changes no other.
"""

import random
from collections.abc import Mapping

Weights = Mapping[str, int]

# How a household pays, as a rule; one month in six it does otherwise.
HABITS: Weights = {
    "autopay": 40,
    "on time": 22,
    "on the last day": 11,
    "scheduled": 8,
    "late": 6,
    "in parts": 4,
    "too little": 2,
    "twice": 2,
    "second thoughts": 2,
    "never": 3,
}
# Where it pays: see `paying.WAYS`.
WAYS: Weights = {"member": 60, "guest": 12, "unseen guest": 12, "phone": 7, "check": 9}
# What is in the envelope of one who mails a check.
MAILS: Weights = {
    "plain": 50,
    "combined": 15,
    "wrong amount": 10,
    "no Member ID": 12,
    "late": 8,
    "not good": 5,
}
# What comes of a payment's bank account, by the sandbox bank's magic numbers.
ACCOUNTS: Weights = {
    "good": 930,
    "1000000001": 34,
    "1000000002": 8,
    "1000000003": 6,
    "1000000010": 3,
    "1000000098": 13,
    "1000000099": 6,
}
# When the exchange tells us of a change of price or plan, and of an end: before the month is billed, or after.
CHANGES: Weights = {"before the bill": 1, "after the bill": 1}
ENDS: Weights = {"before the bill": 1, "after the bill": 1}
# Whether an enrollment that asks for it starts in a month that has begun.
RETROACTIVE: Weights = {"no": 1, "yes": 2}

# In a hundred, each.
COVERAGE_KEPT, ASKS_FOR_REINSTATEMENT, TURNS_AUTOPAY_OFF, HAS_CEILING = 10, 35, 3, 10
JOINS_LATER, OTHER_HABIT, SENDS_FORM_TWICE, PAYS_ONE_BILL_ALONE = 30, 16, 4, 12
WORKERS_REST_TODAY, WORKERS_REST_FOR_DAYS, WORKER_DIES, JOB_RUNS_TWICE = 4, 2, 12, 12
DUE_DATE_EXTENDED, EXTENDED_AFTERWARDS, DUE_DATE_MOVED_FOR_ONE = 10, 15, 0.2
FIRST_MONTH_WAIVED, MONTH_WAIVED, MONTH_CORRECTED, START_KEPT = 5, 0.2, 0.3, 50
TO_LOCKBOX, NO_COUPON, SCAN_LINE_MISREAD = 70, 25, 3  # of envelopes, of checks in those, of their coupons
FILE_WAITS, FILE_CUT, FILE_READ_TWICE = 8, 10, 10  # of the lockbox's files
GIVES_DATE_OF_BIRTH = 60  # of those who call
SOMEBODY_ELSE_WRITES, MONEY_SENT_BACK = 6, 8  # of checks, and of those among them that name no account
BANK_DOWN, BANK_SILENT, LINE_LOST, FILES_REPEATED, FILES_SHUFFLED = 3, 3, 6, 5, 20


def roll(*purpose: object) -> random.Random:
    """The dice of one purpose, such as (seed, "household", 17)."""
    return random.Random(":".join(map(str, purpose)))  # noqa: S311  who pays when, no secrets


def choose(dice: random.Random, weights: Weights) -> str:
    """One of the table, as often as its weight says."""
    return dice.choices(list(weights), weights=list(weights.values()))[0]


def happens(dice: random.Random, in_a_hundred: float) -> bool:
    """Whether something that is so likely happens now."""
    return dice.random() * 100 < in_a_hundred
