"""The ways money comes in besides the member's own pages."""
