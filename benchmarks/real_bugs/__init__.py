"""Who sees which of the collected real bugs, coroguard and its peers."""
