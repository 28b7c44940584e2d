"""Names and meanings of the email events, registered in Amplitude or written as CSV."""
