"""Singer messages, the command line, and the only uses of the SDK's private names."""
