from django.db import migrations

from connector_pay.lib.grants import keep_rows


class Migration(migrations.Migration):
    dependencies = [("billing", "0010_starts_and_adjustments_rights"), ("lib", "0001_initial")]

    operations = [*keep_rows("billing_duedateoverride", changing=("reviewed_at",))]
