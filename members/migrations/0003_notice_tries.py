from django.db import migrations, models

from connector_pay.lib.grants import keep_rows


class Migration(migrations.Migration):
    dependencies = [("members", "0002_rights")]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="failed_tries",
            field=models.PositiveIntegerField(
                default=0, db_default=0, help_text="how often it could not be handed over"
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="next_try_at",
            field=models.DateTimeField(
                null=True, blank=True, help_text="set while it waits because it could not be handed over"
            ),
        ),
        *keep_rows("members_notice", changing=("sent_at", "failed_tries", "next_try_at")),
    ]
