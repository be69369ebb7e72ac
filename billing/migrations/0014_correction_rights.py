from django.db import migrations

from connector_pay.lib.grants import keep_rows, make_append_only


class Migration(migrations.Migration):
    dependencies = [("billing", "0013_corrections"), ("lib", "0001_initial")]

    operations = [
        *keep_rows("billing_correction", changing=("status", "decided_by_id", "decided_at")),
        *make_append_only("billing_correctionmove", "billing_outage"),
    ]
