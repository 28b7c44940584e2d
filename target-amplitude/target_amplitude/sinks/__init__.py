"""Records into queued events, and where these go: to Amplitude, or nowhere in a dry run."""
