"""The demo: a private source, a realistic business in it, and the promise kept before your eyes."""
