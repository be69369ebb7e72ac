import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0017_history"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="duedateoverride",
            name="recorded_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="duedateoverride",
            name="changed_update",
        ),
        migrations.AddField(
            model_name="duedateoverrideevent",
            name="correction",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="billing.correction",
            ),
        ),
        migrations.AddField(
            model_name="duedateoverrideevent",
            name="is_older",
            field=models.BooleanField(
                db_default=False, default=False, help_text="moved before people did so by corrections"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="duedateoverride",
            trigger=pgtrigger.compiler.Trigger(
                name="recorded_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "billing_duedateoverrideevent" ("account_id", "correction_id", "coverage_month", "due_date", "id", "is_older", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "recorded_at", "reviewed_at") VALUES (NEW."account_id", NEW."correction_id", NEW."coverage_month", NEW."due_date", NEW."id", NEW."is_older", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'recorded\', NEW."id", NEW."reason", NEW."recorded_at", NEW."reviewed_at"); RETURN NULL;',
                    hash="7add8df0720dd206670d7040fab2cebe748f8daf",
                    operation="INSERT",
                    pgid="pgtrigger_recorded_insert_000e9",
                    table="billing_duedateoverride",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="duedateoverride",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "billing_duedateoverrideevent" ("account_id", "correction_id", "coverage_month", "due_date", "id", "is_older", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "recorded_at", "reviewed_at") VALUES (NEW."account_id", NEW."correction_id", NEW."coverage_month", NEW."due_date", NEW."id", NEW."is_older", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."reason", NEW."recorded_at", NEW."reviewed_at"); RETURN NULL;',
                    hash="8623c86819b9ff64e64ec9c7f87a0b751cb431af",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_f89dc",
                    table="billing_duedateoverride",
                    when="AFTER",
                ),
            ),
        ),
    ]
