"""What the email events and their properties mean, registered in Amplitude or written as CSV."""
