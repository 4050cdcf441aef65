"""The real servers that the demonstration brings along."""
