from django.db import migrations

from connector_pay.lib.grants import keep_rows, make_append_only


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial"), ("lib", "0001_initial")]

    operations = [
        *make_append_only("billing_movement", "billing_allocation"),
        *keep_rows("billing_invoice", changing=("voided_at", "void_reason")),
        *keep_rows("billing_receipt", changing=("cleared_on", "taken_back_on")),
    ]
