import datetime
import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0004_withdrawal_rights"),
        ("payments", "0007_retries_and_routing"),
    ]

    operations = [
        migrations.CreateModel(
            name="DraftAnnouncement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("draft_date", models.DateField()),
                ("amount_cents", models.PositiveIntegerField()),
                ("announced_on", models.DateField()),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="mandate",
            name="ceiling_cents",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="mandate",
            name="drafts_from",
            field=models.DateField(default=datetime.date(2026, 1, 22)),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="mandate",
            name="form_key",
            field=models.UUIDField(default=uuid.uuid4),
        ),
        migrations.AlterField(
            model_name="authorization",
            name="channel",
            field=models.CharField(
                choices=[
                    ("web", "Online, signed in"),
                    ("guest", "Online, as a guest"),
                    ("phone", "By phone"),
                    ("autopay", "By AutoPay"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="channel",
            field=models.CharField(
                choices=[
                    ("web", "Online, signed in"),
                    ("guest", "Online, as a guest"),
                    ("phone", "By phone"),
                    ("autopay", "By AutoPay"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="mandate",
            constraint=models.UniqueConstraint(fields=("form_key", "account"), name="one_mandate_per_form"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("channel", "autopay"), ("retry_of", None)),
                fields=("account", "received_date"),
                name="one_draft_per_draft_day",
            ),
        ),
        migrations.AddField(
            model_name="draftannouncement",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="draft_announcements",
                to="billing.account",
            ),
        ),
        migrations.AddConstraint(
            model_name="draftannouncement",
            constraint=models.UniqueConstraint(
                fields=("account", "draft_date", "announced_on", "amount_cents"), name="announced_once"
            ),
        ),
    ]
