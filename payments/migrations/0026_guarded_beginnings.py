from django.db import migrations

from connector_pay.lib.grants import guard_beginning, guard_moves
from payments.models import CHECK_MOVES, MANDATE_MOVES, REFUND_MOVES


class Migration(migrations.Migration):
    dependencies = [("payments", "0025_refunds_mailed_to")]

    operations = [
        *guard_moves("payments_refund", moves=REFUND_MOVES),
        *guard_moves("payments_receivedcheck", moves=CHECK_MOVES),
        *guard_moves("payments_mandate", moves=MANDATE_MOVES),
        *guard_beginning("payments_payment", first="recorded"),
        *guard_beginning("payments_bankfile", first="sending", where="NEW.direction = 'out'"),
        *guard_beginning("payments_refund", first="asked"),
        *guard_beginning("payments_receivedcheck", first="unmatched"),
        *guard_beginning("payments_mandate", first="on"),
    ]
