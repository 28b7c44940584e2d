"""The email events pipeline on Dagster: an hourly schedule, and backfills by account and month."""
