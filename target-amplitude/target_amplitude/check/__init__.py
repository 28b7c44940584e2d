"""The `check` command: what is true of this Amplitude project, by requests that bring no event."""
