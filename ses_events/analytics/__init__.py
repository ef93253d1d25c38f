"""Questions to the archive."""
