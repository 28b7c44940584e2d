"""One request to Amplitude's APIs, and what the answer to it means."""
