from django.db import migrations, models

from connector_pay.lib.grants import keep_rows, make_append_only


class Migration(migrations.Migration):
    dependencies = [("billing", "0013_corrections"), ("lib", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="duedateoverride",
            name="is_older",
            field=models.BooleanField(
                db_default=False, default=False, help_text="moved before people did so by corrections"
            ),
        ),
        migrations.RunSQL("UPDATE billing_duedateoverride SET is_older = TRUE", migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="duedateoverride",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_older", True),
                    ("correction__isnull", False),
                    models.Q(("account__isnull", False), ("reason", "billed after its due date")),
                    _connector="OR",
                ),
                name="override_has_its_correction",
            ),
        ),
        *keep_rows("billing_correction", changing=("status", "decided_by_id", "decided_at")),
        *make_append_only("billing_correctionmove", "billing_outage"),
    ]
