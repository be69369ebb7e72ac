from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_rights")]

    operations = [
        migrations.CreateModel(
            name="LookupCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(help_text="a keyed fingerprint of what is counted", max_length=64)),
                ("window_starts_at", models.DateTimeField()),
                ("count", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("window_starts_at", "key"), name="one_count_of_a_key_per_window"
                    )
                ],
            },
        ),
    ]
