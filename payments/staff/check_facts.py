"""What staff read of a check before they act on it: what it is, when it came, and what came with it in its envelope."""

from connector_pay.lib.templatetags.exchange import long_date
from payments.models import ReceivedCheck
from payments.staff.lockbox import list_written


def list_facts(check: ReceivedCheck) -> list[tuple[str, str]]:
    """What the page of an act says of the check itself."""
    return [
        ("What it is", str(check)),
        ("Written by", check.payer),
        ("Received", long_date(check.received_on)),
        ("Deposited", long_date(check.deposit_on)),
        ("Status", check.get_status_display()),
        *list_written(check=check),
    ]
