"""What is generated for the docs."""
