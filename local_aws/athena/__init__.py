"""Athena: queries over the deployed tables, run by DuckDB with the permissions of the caller."""
