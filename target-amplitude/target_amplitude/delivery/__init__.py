"""Queued events into requests, answers into settled records, and settled records into state."""
