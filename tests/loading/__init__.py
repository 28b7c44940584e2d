"""What the tests of the target share: Singer messages, and a loader that runs it."""
