from django.db import migrations

from connector_pay.lib.grants import keep_rows, make_append_only


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_bills_on_paper"), ("lib", "0001_initial")]

    operations = [
        *make_append_only("billing_printedletter"),
        *keep_rows("billing_billlink", changing=("revoked_at",)),
        *keep_rows("billing_printbatch", changing=("closed_at",)),
        *keep_rows("billing_printpart", changing=("document", "drawn_at")),
    ]
