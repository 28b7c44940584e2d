"""Singer tap for HubSpot's email events."""
