"""From a time range to its records: plan, engine, bookmarks and progress."""
