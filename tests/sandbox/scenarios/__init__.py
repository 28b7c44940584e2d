"""Made-up but truthful email histories: campaigns, people, and what happened to each message."""
