import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0012_who_closed_and_revoked"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Correction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("adjustment", "Adjustment"),
                            ("waiver", "Hardship waiver"),
                            ("due_date", "Due date of one account"),
                            ("month_due", "Due date of a month, for everyone"),
                            ("start", "Start of coverage"),
                            ("received", "Received date across a due date"),
                        ],
                        max_length=10,
                    ),
                ),
                ("month", models.DateField(blank=True, null=True, verbose_name="coverage month")),
                (
                    "last_month",
                    models.DateField(blank=True, help_text="of several months: the last", null=True),
                ),
                (
                    "cents",
                    models.IntegerField(
                        default=0, help_text="of each month: put on it, or taken off (negative)"
                    ),
                ),
                (
                    "is_whole",
                    models.BooleanField(
                        default=False, help_text="all that is left of each month", verbose_name="whole month"
                    ),
                ),
                (
                    "total_cents",
                    models.PositiveIntegerField(default=0, help_text="what it came to in all when asked for"),
                ),
                (
                    "new_date",
                    models.DateField(
                        blank=True, help_text="the due date or received date it gives", null=True
                    ),
                ),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("keep", "Coverage starts where it stands"),
                            ("move", "Coverage starts where the rules put it"),
                        ],
                        max_length=4,
                    ),
                ),
                ("why", models.CharField(max_length=200)),
                ("form_key", models.UUIDField(unique=True)),
                ("asked_at", models.DateTimeField()),
                (
                    "asked_on",
                    models.DateField(help_text="the day the member asked for it: a waiver counts from it"),
                ),
                ("takes_two", models.BooleanField(verbose_name="takes a second person")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("asked", "Waits for a second person"),
                            ("applied", "Done"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="asked",
                        max_length=9,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "permissions": [
                    ("adjust_account", "Adjust what a month comes to"),
                    ("waive_premium", "Waive premiums in hardship"),
                    ("move_due_date", "Give one account more time to pay"),
                    ("move_month_due_date", "Ask for more time to pay for everyone"),
                    ("decide_start", "Decide where coverage starts"),
                    ("decide_correction", "Approve or decline a correction that another person asked for"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CorrectionMove",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("before", models.CharField(max_length=9)),
                ("after", models.CharField(max_length=9)),
                ("at", models.DateTimeField()),
                ("why", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="Outage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("began_at", models.DateTimeField(verbose_name="from")),
                ("ended_at", models.DateTimeField(verbose_name="to")),
                ("what", models.CharField(max_length=200, verbose_name="what was down")),
                ("public_words", models.CharField(help_text="what everyone may read of it", max_length=300)),
                ("form_key", models.UUIDField(unique=True)),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "permissions": [("record_outage", "Record an outage and ask for more time for everyone")],
            },
        ),
        migrations.RemoveConstraint(
            model_name="adjustment",
            name="adjustment_takes_two_people",
        ),
        migrations.RemoveConstraint(
            model_name="duedateoverride",
            name="one_override_per_month",
        ),
        migrations.RemoveConstraint(
            model_name="duedateoverride",
            name="one_override_per_account_month",
        ),
        migrations.AlterField(
            model_name="adjustment",
            name="approved_by",
            field=models.ForeignKey(
                blank=True,
                help_text="nobody, where it took no second person",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="account",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="billing.account",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="receipt",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="billing.receipt",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="start_review",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="billing.startreview",
            ),
        ),
        migrations.AddField(
            model_name="adjustment",
            name="correction",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="adjustments",
                to="billing.correction",
            ),
        ),
        migrations.AddField(
            model_name="duedateoverride",
            name="correction",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="override",
                to="billing.correction",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by", None),
                    models.Q(("approved_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="adjustment_is_not_approved_by_its_asker",
            ),
        ),
        # Not checked of the rows that were made before there were corrections.
        AddConstraintNotValid(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(("correction__isnull", False)), name="adjustment_has_its_correction"
            ),
        ),
        migrations.AddConstraint(
            model_name="duedateoverride",
            constraint=models.UniqueConstraint(
                condition=models.Q(("account", None), ("correction", None)),
                fields=("coverage_month",),
                name="one_override_per_month",
            ),
        ),
        migrations.AddConstraint(
            model_name="duedateoverride",
            constraint=models.UniqueConstraint(
                condition=models.Q(("correction", None)),
                fields=("coverage_month", "account"),
                name="one_override_per_account_month",
            ),
        ),
        migrations.AddField(
            model_name="correctionmove",
            name="correction",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="moves", to="billing.correction"
            ),
        ),
        migrations.AddField(
            model_name="outage",
            name="recorded_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="outage",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="billing.outage",
            ),
        ),
        migrations.AddConstraint(
            model_name="outage",
            constraint=models.CheckConstraint(
                condition=models.Q(("ended_at__gt", models.F("began_at"))), name="outage_lasts"
            ),
        ),
        migrations.AddIndex(
            model_name="correction",
            index=models.Index(
                condition=models.Q(("status", "asked")), fields=["id"], name="correction_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by", None),
                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="nobody_approves_their_own",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "applied"), _negated=True),
                    ("takes_two", False),
                    ("decided_by__isnull", False),
                    _connector="OR",
                ),
                name="correction_takes_two_people",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("decided_by", None), ("status", "asked")),
                    models.Q(models.Q(("status", "asked"), _negated=True), ("decided_at__isnull", False)),
                    _connector="OR",
                ),
                name="correction_is_decided_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "declined"), _negated=True),
                    ("decided_by__isnull", False),
                    _connector="OR",
                ),
                name="correction_is_declined_by_someone",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("is_whole", False),
                        ("kind", "adjustment"),
                        ("month__isnull", False),
                        models.Q(("cents", 0), _negated=True),
                    ),
                    models.Q(
                        ("cents__lte", 0),
                        ("kind", "waiver"),
                        ("last_month__gte", models.F("month")),
                        ("month__isnull", False),
                    ),
                    models.Q(
                        ("kind__in", ("due_date", "month_due")),
                        ("month__isnull", False),
                        ("new_date__isnull", False),
                    ),
                    models.Q(
                        ("kind", "start"),
                        ("start_review__isnull", False),
                        models.Q(("decision", ""), _negated=True),
                    ),
                    models.Q(("kind", "received"), ("new_date__isnull", False), ("receipt__isnull", False)),
                    _connector="OR",
                ),
                name="correction_says_what",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("account__isnull", False),
                        ("kind__in", ("adjustment", "waiver", "due_date", "start", "received")),
                    ),
                    models.Q(("account", None), ("kind", "month_due"), ("takes_two", True)),
                    _connector="OR",
                ),
                name="correction_is_of_an_account",
            ),
        ),
    ]
