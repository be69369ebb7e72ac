from django.db import migrations, models

# As before, and: a second retry follows the first, which must have come back for want of funds itself.
CHECK_RETRIES = """
CREATE OR REPLACE FUNCTION payments_check_retry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE original payments_payment%ROWTYPE;
BEGIN
    SELECT * INTO original FROM payments_payment WHERE id = NEW.retry_of_id;
    IF original.retry_of_id IS NOT NULL THEN
        RAISE EXCEPTION 'a retry names the original debit, not another retry' USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.account_id, NEW.bank_account_id, NEW.authorization_id, NEW.amount_cents)
        IS DISTINCT FROM (original.account_id, original.bank_account_id, original.authorization_id, original.amount_cents)
    THEN
        RAISE EXCEPTION 'a retry is the same debit, unchanged' USING ERRCODE = 'check_violation';
    END IF;
    IF original.status <> 'returned' OR original.return_code NOT IN ('R01', 'R09') THEN
        RAISE EXCEPTION 'only a debit returned for want of funds is sent again' USING ERRCODE = 'check_violation';
    END IF;
    IF (
        SELECT count(*) FROM payments_payment
        WHERE retry_of_id = NEW.retry_of_id AND status = 'returned' AND return_code IN ('R01', 'R09')
    ) <> NEW.retry_number - 1 THEN
        RAISE EXCEPTION 'a retry follows the return of the one before it' USING ERRCODE = 'check_violation';
    END IF;
    IF original.effective_date IS NULL OR NEW.received_date > original.effective_date + 180 THEN
        RAISE EXCEPTION 'a retry goes out within 180 days of settlement' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_check_numbers")]

    operations = [
        migrations.AddIndex(
            model_name="returnline",
            index=models.Index(
                condition=models.Q(("applied", True), ("code__in", ("R13", "R28"))),
                fields=["entry"],
                name="return_of_a_routing_number",
            ),
        ),
        migrations.RunSQL(CHECK_RETRIES, migrations.RunSQL.noop),
    ]
