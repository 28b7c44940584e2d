"""What a stream is: its schema, its keys, and how Meltano has it read."""
