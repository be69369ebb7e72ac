from django.db import migrations

from connector_pay.lib.grants import make_read_only


class Migration(migrations.Migration):
    dependencies = [("lib", "0001_initial")]

    operations = make_read_only("django_migrations")
