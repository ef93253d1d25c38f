"""SES: the mail it refuses, what becomes of the rest, and the events it publishes."""
