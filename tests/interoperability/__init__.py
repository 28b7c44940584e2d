"""Other people's software beside ours: databases, S3, Singer taps and targets."""
