"""HubSpot over HTTP: requests within its limits, retries, and the endpoints on top."""
