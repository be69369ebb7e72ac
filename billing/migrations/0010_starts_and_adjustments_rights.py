from django.db import migrations, models

from connector_pay.lib.grants import keep_rows, make_append_only


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_starts_and_adjustments"), ("lib", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "UPDATE billing_invoice SET binder_start = coverage_month WHERE is_binder", migrations.RunSQL.noop
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("binder_start__lte", models.F("coverage_month")), ("is_binder", True)),
                    models.Q(("binder_start", None), ("is_binder", False)),
                    _connector="OR",
                ),
                name="binder_names_its_start",
            ),
        ),
        *make_append_only("billing_adjustment", "billing_invoiceline"),
        *keep_rows("billing_startreview", changing=("decided_at", "decision", "decided_by_id")),
    ]
