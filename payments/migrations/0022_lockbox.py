import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from connector_pay.lib.grants import make_append_only


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0021_phone_call_rights"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="bankfile",
            name="kind",
            field=models.CharField(
                choices=[
                    ("entries", "Debits, credits and prenotes"),
                    ("returns", "Returns and corrections"),
                    ("ack", "Acknowledgement"),
                    ("lockbox", "Checks of a lockbox"),
                ],
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="LockboxFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("items_key", models.CharField(max_length=64, unique=True)),
                ("deposit_on", models.DateField(verbose_name="day of deposit")),
                ("count", models.PositiveIntegerField(verbose_name="checks")),
                ("cents", models.BigIntegerField()),
                ("imported_at", models.DateTimeField()),
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lockbox",
                        to="payments.bankfile",
                    ),
                ),
                (
                    "imported_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="none: by the timetable or a command",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "permissions": [("import_lockbox", "Import a lockbox file")],
            },
        ),
        migrations.CreateModel(
            name="LockboxItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="its place in the file, counted from 1")),
                ("line", models.PositiveIntegerField()),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("coupon", "By its coupons"),
                            ("member_id", "By its Member ID"),
                            ("split", "Split: what health and dental owe"),
                            ("remitter", "By its remitter"),
                            ("queue", "To staff: names no account"),
                        ],
                        max_length=9,
                        verbose_name="how it was matched",
                    ),
                ),
                (
                    "words",
                    models.TextField(
                        blank=True, help_text="the Member IDs, scan lines and words that came with it"
                    ),
                ),
                ("why", models.CharField(blank=True, max_length=200)),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="payments.lockboxfile",
                    ),
                ),
                (
                    "received_check",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lockbox_item",
                        to="payments.receivedcheck",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("file", "number"), name="one_lockbox_item_of_a_number")
                ],
            },
        ),
        *make_append_only("payments_lockboxfile", "payments_lockboxitem"),
    ]
