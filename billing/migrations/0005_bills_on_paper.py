import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0004_withdrawal_rights"),
        ("members", "0003_notice_tries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PrintBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=[("bills", "Bills"), ("letters", "Letters")], max_length=7),
                ),
                ("business_date", models.DateField()),
                ("letters", models.PositiveIntegerField()),
                ("made_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "print batches",
            },
        ),
        migrations.CreateModel(
            name="PrintPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("letters", models.PositiveIntegerField()),
                ("document", models.BinaryField(default=b"")),
                ("drawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="billing.printbatch",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PrintedLetter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(help_text="in the batch, by ZIP code")),
                (
                    "notice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="printed",
                        to="members.notice",
                    ),
                ),
                (
                    "part",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="places",
                        to="billing.printpart",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BillLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seed", models.CharField(max_length=32)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("made_at", models.DateTimeField()),
                ("expires_on", models.DateField(verbose_name="last day it opens the bill")),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="links",
                        to="billing.invoice",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)),
                        fields=("invoice",),
                        name="one_link_per_invoice",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="printpart",
            index=models.Index(condition=models.Q(("drawn_at", None)), fields=["id"], name="part_to_draw"),
        ),
        migrations.AddConstraint(
            model_name="printpart",
            constraint=models.UniqueConstraint(fields=("batch", "number"), name="one_part_per_number"),
        ),
        migrations.AddConstraint(
            model_name="printedletter",
            constraint=models.UniqueConstraint(fields=("part", "position"), name="one_letter_per_place"),
        ),
    ]
