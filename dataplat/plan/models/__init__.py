"""SQL models: their text for a partition, what they read, where their columns come from. Pure."""
