"""What was read against what Amplitude holds: which events are missing, doubled or another's."""
