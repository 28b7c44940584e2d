"""A local HubSpot: email events, campaigns, contacts, account information and OAuth."""
