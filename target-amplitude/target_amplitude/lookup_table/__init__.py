"""Campaign records, and the lookup table in Amplitude that they become."""
