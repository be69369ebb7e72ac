from django.db import migrations

from connector_pay.lib.grants import keep_rows, make_append_only


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_episodes"), ("lib", "0001_initial")]

    operations = [
        *make_append_only("billing_episodemove"),
        *keep_rows(
            "billing_episode",
            changing=("status", "kind", "ended_on", "planned_end", "decided_by_id", "decided_on"),
        ),
    ]
