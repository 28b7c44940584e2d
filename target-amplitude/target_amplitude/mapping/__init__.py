"""A Singer record into an Amplitude event, or why there is none: pure functions, no I/O."""
