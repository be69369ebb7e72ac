"""What staff do with payments, refunds and bank accounts, on pages of the admin."""
