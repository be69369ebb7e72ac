"""The bank's lockbox: checks that were mailed to the bank, in its file of the day; read, matched, posted once."""
