"""A local Amplitude: ingestion as strict as the real one, and questions about what it holds."""
