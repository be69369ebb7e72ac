from django.db import migrations

from connector_pay.lib.grants import make_append_only


class Migration(migrations.Migration):
    dependencies = [("payments", "0015_parked_returns"), ("lib", "0001_initial")]

    operations = [*make_append_only("payments_returnresolution")]
