"""What is owed and what was received: bills, money and the ledger, starts under review, corrections, paper, falling behind.

An account is what one enrollment owes and has paid. It is the row to lock before touching money.
"""

from billing.models.behind import BEHIND as BEHIND
from billing.models.behind import EPISODE_MOVES as EPISODE_MOVES
from billing.models.behind import Episode as Episode
from billing.models.behind import EpisodeMove as EpisodeMove
from billing.models.behind import EpisodeStatus as EpisodeStatus
from billing.models.bills import BILLED_LATE as BILLED_LATE
from billing.models.bills import Account as Account
from billing.models.bills import Adjustment as Adjustment
from billing.models.bills import AdjustmentKind as AdjustmentKind
from billing.models.bills import DueDateOverride as DueDateOverride
from billing.models.bills import Invoice as Invoice
from billing.models.bills import InvoiceLine as InvoiceLine
from billing.models.bills import LineReason as LineReason
from billing.models.bills import format_invoice_number as format_invoice_number
from billing.models.corrections import CORRECTION_MOVES as CORRECTION_MOVES
from billing.models.corrections import Correction as Correction
from billing.models.corrections import CorrectionKind as CorrectionKind
from billing.models.corrections import CorrectionMove as CorrectionMove
from billing.models.corrections import CorrectionStatus as CorrectionStatus
from billing.models.corrections import Outage as Outage
from billing.models.money import Allocation as Allocation
from billing.models.money import Chart as Chart
from billing.models.money import Movement as Movement
from billing.models.money import Receipt as Receipt
from billing.models.money import ReceiptChange as ReceiptChange
from billing.models.money import Withdrawal as Withdrawal
from billing.models.paper import BillLink as BillLink
from billing.models.paper import MailRead as MailRead
from billing.models.paper import PrintBatch as PrintBatch
from billing.models.paper import PrintedLetter as PrintedLetter
from billing.models.paper import PrintKind as PrintKind
from billing.models.paper import PrintPart as PrintPart
from billing.models.starts import StartDecision as StartDecision
from billing.models.starts import StartReview as StartReview
