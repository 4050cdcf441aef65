"""The collected real bugs under coroguard and its peers."""
