"""What the plugins share; each package holds this folder as its own `common`."""
