from django.db import migrations

from connector_pay.lib.grants import keep_rows, make_append_only

# What went out before is known by what it paid.
NAME_OLD_ENTRIES = """
UPDATE payments_fileentry AS entry
SET individual_id = payment.confirmation_number, blind_index = bank.blind_index
FROM payments_payment AS payment JOIN payments_bankaccount AS bank ON bank.id = payment.bank_account_id
WHERE payment.id = entry.payment_id;
UPDATE payments_bankfile SET kind = 'entries' WHERE kind = 'debits';
"""
# Nacha, re-initiated entries: only what came back for want of funds, unchanged, within 180 days of its settlement. The
# unique key on (retry_of, retry_number) and the check that numbers end at 2 count them.
CHECK_RETRIES = """
CREATE FUNCTION payments_check_retry() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF NEW.received_date > original.effective_date + 180 THEN
        RAISE EXCEPTION 'a retry goes out within 180 days of settlement' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_check_retry BEFORE INSERT ON payments_payment
    FOR EACH ROW WHEN (NEW.retry_of_id IS NOT NULL) EXECUTE FUNCTION payments_check_retry();
"""
DROP_CHECK = "DROP TRIGGER payments_check_retry ON payments_payment; DROP FUNCTION payments_check_retry();"


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_the_bank_side"), ("lib", "0001_initial")]

    operations = [
        migrations.RunSQL(NAME_OLD_ENTRIES, migrations.RunSQL.noop),
        migrations.RunSQL(CHECK_RETRIES, DROP_CHECK),
        *make_append_only("payments_mandatemove", "payments_refundmove"),
        *keep_rows("payments_mandate", changing=("status",)),
        *keep_rows("payments_prenote", changing=("effective_date", "outcome", "decided_at")),
        *keep_rows(
            "payments_refund",
            changing=(
                "status",
                "decided_by_id",
                "decided_at",
                "effective_date",
                "check_number",
                "printed_on",
            ),
        ),
    ]
