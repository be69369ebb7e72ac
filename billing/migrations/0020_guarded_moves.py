from django.db import migrations

from billing.models import CORRECTION_MOVES, EPISODE_MOVES
from connector_pay.lib.grants import guard_beginning, guard_moves


class Migration(migrations.Migration):
    dependencies = [("billing", "0019_mail_read")]

    operations = [
        *guard_moves("billing_episode", moves=EPISODE_MOVES),
        *guard_moves("billing_correction", moves=CORRECTION_MOVES),
        *guard_beginning("billing_episode", first="open"),
        *guard_beginning("billing_correction", first="asked"),
    ]
