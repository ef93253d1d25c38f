"""IAM: services as principals, and the roles they assume."""
