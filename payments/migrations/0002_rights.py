from django.conf import settings
from django.db import migrations

from connector_pay.lib.grants import keep_rows, make_append_only

# Only a half-typed form may be sealed anew or thrown away; account numbers and the bytes of bank files stay as they are
# for everyone but the owner, who rotates keys.
PROTECT_SEALED = f"""
ALTER TABLE lib_sealedvalue ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_all ON lib_sealedvalue FOR SELECT TO {settings.APPLICATION_ROLE} USING (true);
CREATE POLICY add_any ON lib_sealedvalue FOR INSERT TO {settings.APPLICATION_ROLE} WITH CHECK (true);
CREATE POLICY change_drafts ON lib_sealedvalue FOR UPDATE TO {settings.APPLICATION_ROLE}
    USING (purpose = 'payment_draft') WITH CHECK (purpose = 'payment_draft');
CREATE POLICY delete_drafts ON lib_sealedvalue FOR DELETE TO {settings.APPLICATION_ROLE} USING (purpose = 'payment_draft');
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial"), ("lib", "0001_initial")]

    operations = [
        *make_append_only(
            "payments_authorization",
            "payments_bankaccountmove",
            "payments_validation",
            "payments_paymentmove",
            "payments_filemove",
            "payments_filechunk",
            "payments_fileentry",
            "payments_returnline",
        ),
        *keep_rows("payments_payment", changing=("status", "effective_date", "posted_on", "return_code")),
        *keep_rows("payments_bankfile", changing=("status",)),
        *keep_rows(
            "payments_bankaccount",
            changing=(
                "status",
                "nickname",
                "hidden_at",
                "kind",
                "routing_number",
                "last_four",
                "blind_index",
                "sealed_id",
            ),
        ),
        migrations.RunSQL(PROTECT_SEALED, migrations.RunSQL.noop),
        migrations.RunSQL(
            "CREATE SEQUENCE payments_trace AS bigint MINVALUE 1", "DROP SEQUENCE payments_trace"
        ),
    ]
