import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from connector_pay.lib.grants import keep_rows, make_append_only


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0008_staff_sessions_and_history"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="sessions_key",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="another one ends every session there is",
                max_length=32,
            ),
        ),
        migrations.CreateModel(
            name="EmailChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("email", models.EmailField(max_length=254)),
                ("asked_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="email_changes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["user", "asked_at"], name="email_change_by_user"),
                    models.Index(fields=["email", "asked_at"], name="email_change_by_email"),
                ],
            },
        ),
        migrations.CreateModel(
            name="MemberChoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("language", "Language"),
                            ("email", "Email address"),
                            ("phone", "Phone number"),
                            ("paperless_bills", "Bills without paper"),
                            ("paperless_notices", "Letters without paper"),
                        ],
                        max_length=20,
                    ),
                ),
                ("before", models.CharField(blank=True, max_length=254)),
                ("after", models.CharField(blank=True, max_length=254)),
                ("text", models.TextField(blank=True)),
                ("text_version", models.CharField(blank=True, max_length=20)),
                ("language", models.CharField(max_length=2)),
                ("at", models.DateTimeField()),
                ("address", models.GenericIPAddressField(null=True)),
                ("browser", models.CharField(blank=True, max_length=300)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="choices",
                        to="members.member",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["member", "at"], name="choice_by_day")],
            },
        ),
        *make_append_only("members_memberchoice"),
        *keep_rows("members_emailchange", changing=("confirmed_at",)),
    ]
