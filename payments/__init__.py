"""How money moves: bank accounts, payments, bank files, the pages of the portal."""
