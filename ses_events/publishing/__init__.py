"""A configuration set, and where it publishes its events."""
