"""Settings declared once, as the fields of a structure, and read alike from every channel."""
