from django.db import migrations, models

from connector_pay.lib.grants import make_append_only


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0018_history_of_corrected_due_dates"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailRead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("until", models.DateField(unique=True)),
                ("why", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
            ],
        ),
        *make_append_only("billing_mailread"),
    ]
