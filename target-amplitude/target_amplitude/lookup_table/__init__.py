"""Campaigns as a lookup table, which names the emails of events that are in Amplitude already."""
