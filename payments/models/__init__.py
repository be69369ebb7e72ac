"""How money moves, as rows: one module for each noun, all of them imported from here."""

from payments.models.authorizations import (
    MANDATE_MOVES,
    Authorization,
    DraftAnnouncement,
    Mandate,
    MandateMove,
    MandateStatus,
    PaymentChannel,
    PaymentDraft,
)
from payments.models.bank_accounts import (
    BANK_ACCOUNT_MOVES,
    AccountKind,
    BankAccount,
    BankAccountMove,
    BankAccountStatus,
    Prenote,
    RoutingNumber,
    Validation,
)
from payments.models.calls import PhoneCall
from payments.models.files import (
    FILE_MOVES,
    BankFile,
    BankingDayOverride,
    FileChunk,
    FileEntry,
    FileMove,
    FileStatus,
    ReturnLine,
)
from payments.models.lookups import LookupCount
from payments.models.moves import Move
from payments.models.payments import MOST_RETRIES, PAYMENT_MOVES, Payment, PaymentMove, PaymentStatus
from payments.models.refunds import REFUND_MOVES, Refund, RefundMethod, RefundMove, RefundStatus

__all__ = [
    "BANK_ACCOUNT_MOVES",
    "FILE_MOVES",
    "MANDATE_MOVES",
    "MOST_RETRIES",
    "PAYMENT_MOVES",
    "REFUND_MOVES",
    "AccountKind",
    "Authorization",
    "BankAccount",
    "BankAccountMove",
    "BankAccountStatus",
    "BankFile",
    "BankingDayOverride",
    "DraftAnnouncement",
    "FileChunk",
    "FileEntry",
    "FileMove",
    "FileStatus",
    "LookupCount",
    "Mandate",
    "MandateMove",
    "MandateStatus",
    "Move",
    "Payment",
    "PaymentChannel",
    "PaymentDraft",
    "PaymentMove",
    "PaymentStatus",
    "PhoneCall",
    "Prenote",
    "Refund",
    "RefundMethod",
    "RefundMove",
    "RefundStatus",
    "ReturnLine",
    "RoutingNumber",
    "Validation",
]
