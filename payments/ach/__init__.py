"""The bank's language: banking days, routing numbers, and the files that go to the bank and come back."""
