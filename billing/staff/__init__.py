"""Staff's decisions on what is owed."""
