"""Events into requests, requests into acknowledged records, and these into state; rejects."""
