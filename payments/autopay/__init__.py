"""AutoPay: what each bill still asks for is drafted once a month, under a standing permission, until it is turned off."""
