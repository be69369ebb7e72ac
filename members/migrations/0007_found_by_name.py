from django.db import migrations

# Every word typed may begin the first or the last name, in capitals or not; the plain index serves no beginnings.
NAMES = """
CREATE INDEX member_by_last_name_begun ON members_member (upper(last_name) text_pattern_ops);
CREATE INDEX member_by_first_name_begun ON members_member (upper(first_name) text_pattern_ops);
"""
DROP = "DROP INDEX member_by_last_name_begun; DROP INDEX member_by_first_name_begun;"


class Migration(migrations.Migration):
    dependencies = [("members", "0006_found_by_email")]

    operations = [migrations.RunSQL(NAMES, DROP)]
