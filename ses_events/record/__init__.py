"""What an SES event is."""
