"""Paying by phone: a call as a table of steps, which knows nothing of any carrier; the webhooks stand over it."""
