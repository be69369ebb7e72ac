"""The forms of paying: finding a bill, amounts, bank account, authorization."""
