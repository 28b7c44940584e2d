"""What became of the records of a run: counts, the job log, and the command that shows it."""
