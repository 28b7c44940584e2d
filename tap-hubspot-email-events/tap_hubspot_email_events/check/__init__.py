"""The `check` command: what is true of this account, by questions that change nothing in it."""
