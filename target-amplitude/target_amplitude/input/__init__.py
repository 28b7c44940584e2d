"""Singer messages: bytes from standard input into lines, messages and records."""
