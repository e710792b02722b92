"""The Dagster shell: thin and dull. What is decided, is decided below; here it becomes events."""
