"""The Singer side: messages on stdout, and the only uses of the SDK's private parts."""
