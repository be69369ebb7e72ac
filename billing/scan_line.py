"""The scan line of a coupon: 34 digits that say whose check it is, for which bill and how much: pure, written and read."""

import re
from dataclasses import dataclass
from itertools import cycle

PRODUCT_DIGITS = {"health": "1", "dental": "2"}
MEMBER_ID, PRODUCT, INVOICE, AMOUNT, CHECK = 12, 1, 10, 10, 1
LENGTH = MEMBER_ID + PRODUCT + INVOICE + AMOUNT + CHECK
_PRODUCTS = {digit: product for product, digit in PRODUCT_DIGITS.items()}
_PARTS = re.compile(
    rf"(\d{{{MEMBER_ID}}})(\d{{{PRODUCT}}})(\d{{{INVOICE}}})(\d{{{AMOUNT}}})(\d{{{CHECK}}})", re.ASCII
)


class UnableToWriteScanLine(ValueError):
    """A part does not fit its digits."""


class UnableToReadScanLine(ValueError):
    """The text is no scan line of ours; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class ScanLine:
    """What a scan line says: the Member ID, "health" or "dental", the invoice's number, and the amount due in cents."""

    member_id: str
    product: str
    invoice_number: str
    amount_cents: int


def compute_check_digit(digits: str) -> int:
    """Weights 2, 1, 2, 1 from the left, the digits of each product added, then what is missing to the next ten."""
    products = (int(digit) * weight for digit, weight in zip(digits, cycle((2, 1)), strict=False))
    return (10 - sum(product // 10 + product % 10 for product in products) % 10) % 10


def write_scan_line(*, line: ScanLine) -> str:
    """The 34 digits. Raises UnableToWriteScanLine."""
    if line.product not in PRODUCT_DIGITS:
        raise UnableToWriteScanLine(f"There is no product {line.product!r}.")
    parts = {
        "Member ID": (line.member_id, MEMBER_ID),
        "invoice number": (line.invoice_number, INVOICE),
        "amount": (f"{line.amount_cents:0{AMOUNT}d}", AMOUNT),
    }
    for name, (digits, length) in parts.items():
        if len(digits) != length or not (digits.isascii() and digits.isdigit()):
            raise UnableToWriteScanLine(f"The {name} {digits} is not {length} digits.")
    (member_id, _), (invoice, _), (amount, _) = parts.values()
    digits = f"{member_id}{PRODUCT_DIGITS[line.product]}{invoice}{amount}"
    return f"{digits}{compute_check_digit(digits)}"


def format_scan_line(digits: str) -> str:
    """As it is printed, its parts set apart: 003456789011 1 0000000042 0000028417 9."""
    return " ".join(_split(digits))


def read_scan_line(text: str) -> ScanLine:
    """What the line says; spaces are passed over. Raises UnableToReadScanLine."""
    digits = re.sub(r"\s", "", text)
    if len(digits) != LENGTH:
        raise UnableToReadScanLine(f"A scan line has {LENGTH} digits, this has {len(digits)} characters.")
    member_id, product, invoice, amount, check = _split(digits)
    right = compute_check_digit(digits[:-CHECK])
    if int(check) != right:
        raise UnableToReadScanLine(f"The check digit is {check} and should be {right}: a digit was misread.")
    if product not in _PRODUCTS:
        raise UnableToReadScanLine(
            f"The product is {product}; it must be one of {', '.join(sorted(_PRODUCTS))}."
        )
    return ScanLine(member_id, _PRODUCTS[product], invoice, int(amount))


def _split(digits: str) -> tuple[str, ...]:
    found = _PARTS.fullmatch(digits)
    if found is None:
        raise UnableToReadScanLine("A scan line has digits only.")
    return found.groups()
