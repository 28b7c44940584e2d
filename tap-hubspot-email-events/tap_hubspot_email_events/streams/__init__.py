"""The tap's streams: event types, schemas, keys, and how the SDK has them read."""
