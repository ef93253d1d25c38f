"""Alarms and a dashboard."""
