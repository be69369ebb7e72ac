from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_the_bank_side_rights")]

    operations = [
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(
                condition=models.Q(("check_number", ""), _negated=True),
                fields=("check_number",),
                name="one_refund_of_a_check_number",
            ),
        ),
    ]
