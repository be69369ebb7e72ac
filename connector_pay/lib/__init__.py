"""Small tools that know nothing of premiums: clock, money, states, sealed values, job ledger."""
