"""Words that templates of the portal use."""
