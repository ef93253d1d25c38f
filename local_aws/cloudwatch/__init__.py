"""CloudWatch: the evaluation of the deployed alarms, with metric math."""
