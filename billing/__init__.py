"""What is owed: accounts, invoices, due dates, the ledger, allocation, overdue."""
