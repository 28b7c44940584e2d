"""The demo: the real pipeline, from a local HubSpot to a local Amplitude, through Meltano."""
