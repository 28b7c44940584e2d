"""Singer mapper that treats HubSpot's email events on their way from tap to target."""
