"""Routing numbers: which nine digits can name a bank that takes ACH entries."""

WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7)

# The twelve Federal Reserve districts, the same for thrifts, and the same for electronic-only numbers. 00 is
# the US government and 80 a traveler's check: neither can be debited.
PREFIXES = frozenset(f"{number:02}" for start in (1, 21, 61) for number in range(start, start + 12))


def compute_check_digit(*, digits: str) -> str:
    """Give the ninth digit of a routing number from its first eight."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True))
    return str(-total % 10)


def find_routing_fault(*, routing_number: str) -> str | None:
    """Say in plain words why nine characters cannot be a bank's routing number, or None if they can."""
    if len(routing_number) != 9 or not (routing_number.isascii() and routing_number.isdigit()):
        return "must be 9 digits"
    if routing_number[:2] not in PREFIXES:
        return f"must begin with 01-12, 21-32 or 61-72, not {routing_number[:2]}"
    expected = compute_check_digit(digits=routing_number[:8])
    if routing_number[8] != expected:
        return f"has check digit {routing_number[8]}, must be {expected}"
    return None


class _HashParts(dict[str, int | None]):
    """Each routing number met, checked once: a plain look-up, for it is made for every entry."""

    largest = 65_536

    def __missing__(self, routing_number: str) -> int | None:
        if len(self) >= self.largest:
            self.clear()
        sound = find_routing_fault(routing_number=routing_number) is None
        part = self[routing_number] = int(routing_number[:8]) if sound else None
        return part


# What an entry adds to the entry hash: the first eight digits as a number, None if they name no bank
HASH_PARTS = _HashParts()
