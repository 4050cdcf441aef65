"""The cost of a guard, measured beside its peers."""
