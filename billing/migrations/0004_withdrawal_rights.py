from django.db import migrations

from connector_pay.lib.grants import make_append_only


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_withdrawal"), ("lib", "0001_initial")]

    operations = [*make_append_only("billing_withdrawal")]
