"""Reading events: from a time range to records, with the requests planned and bookmarks kept."""
