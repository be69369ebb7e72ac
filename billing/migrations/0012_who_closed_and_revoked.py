import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from connector_pay.lib.grants import keep_rows


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0011_override_rights"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="billlink",
            name="revoked_by",
            field=models.ForeignKey(
                blank=True,
                help_text="nobody, where it has expired",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="printbatch",
            name="closed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        *keep_rows("billing_billlink", changing=("revoked_at", "revoked_by_id")),
        *keep_rows("billing_printbatch", changing=("closed_at", "closed_by_id")),
    ]
