"""Real data from packages: one loader per file."""
