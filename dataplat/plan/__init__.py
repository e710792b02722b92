"""The decisions: specifications and partitions become windows, SQL text, splits and versions. Pure."""
