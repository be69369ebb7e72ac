from django.db import migrations

from connector_pay.lib.grants import guard_moves
from payments.models import FILE_MOVES, PAYMENT_MOVES


class Migration(migrations.Migration):
    dependencies = [("payments", "0017_rights_in_words"), ("lib", "0001_initial")]

    operations = [
        *guard_moves("payments_payment", moves=PAYMENT_MOVES),
        *guard_moves("payments_bankfile", moves=FILE_MOVES),
    ]
