from django.conf import settings
from django.db import migrations
from django.db.migrations import RunSQL

from connector_pay.lib.grants import keep_rows

CHANGING = ("language", "step", "turn", "sealed_id", "said_at", "ended_at")
# What was keyed in on a call is rewritten and thrown away like what was typed into a form.
CHANGE_CALLS = f"""
CREATE POLICY change_calls ON lib_sealedvalue FOR UPDATE TO {settings.APPLICATION_ROLE}
    USING (purpose = 'phone_call') WITH CHECK (purpose = 'phone_call');
CREATE POLICY delete_calls ON lib_sealedvalue FOR DELETE TO {settings.APPLICATION_ROLE} USING (purpose = 'phone_call');
"""
KEEP_CALLS = """
DROP POLICY change_calls ON lib_sealedvalue;
DROP POLICY delete_calls ON lib_sealedvalue;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0020_phone_calls"), ("lib", "0001_initial")]

    operations = [*keep_rows("payments_phonecall", changing=CHANGING), RunSQL(CHANGE_CALLS, KEEP_CALLS)]
