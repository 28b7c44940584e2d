"""Singer messages, and the uses of the private names of the SDK's streams."""
