from django.db import migrations

from connector_pay.lib.grants import keep_rows, make_append_only


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial"), ("lib", "0001_initial")]

    operations = [
        *make_append_only(
            "members_enrollmentmove", "members_startmove", "members_premiumrate", "members_intakeevent"
        ),
        *keep_rows("members_notice", changing=("sent_at",)),
    ]
