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
from payments.models.check_batches import BatchLine, BatchShare, CheckBatch
from payments.models.checks import (
    CHECK_MOVES,
    CheckKind,
    CheckMove,
    CheckShare,
    CheckSource,
    CheckStatus,
    ReceivedCheck,
)
from payments.models.files import (
    FILE_MOVES,
    BankFile,
    BankingDayOverride,
    FileChunk,
    FileEntry,
    FileMove,
    FileStatus,
    ReturnLine,
    ReturnResolution,
)
from payments.models.lockbox import LockboxFile, LockboxItem, LockboxWay
from payments.models.lookups import LookupCount
from payments.models.mailed_checks import MailedCheck
from payments.models.moves import Move
from payments.models.payments import (
    MOST_RETRIES,
    PAYMENT_MOVES,
    Payment,
    PaymentHold,
    PaymentMove,
    PaymentStatus,
)
from payments.models.refunds import REFUND_MOVES, Refund, RefundMethod, RefundMove, RefundStatus

__all__ = [
    "BANK_ACCOUNT_MOVES",
    "CHECK_MOVES",
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
    "BatchLine",
    "BatchShare",
    "CheckBatch",
    "CheckKind",
    "CheckMove",
    "CheckShare",
    "CheckSource",
    "CheckStatus",
    "DraftAnnouncement",
    "FileChunk",
    "FileEntry",
    "FileMove",
    "FileStatus",
    "LockboxFile",
    "LockboxItem",
    "LockboxWay",
    "LookupCount",
    "MailedCheck",
    "Mandate",
    "MandateMove",
    "MandateStatus",
    "Move",
    "Payment",
    "PaymentChannel",
    "PaymentDraft",
    "PaymentHold",
    "PaymentMove",
    "PaymentStatus",
    "PhoneCall",
    "Prenote",
    "ReceivedCheck",
    "Refund",
    "RefundMethod",
    "RefundMove",
    "RefundStatus",
    "ReturnLine",
    "ReturnResolution",
    "RoutingNumber",
    "Validation",
]
