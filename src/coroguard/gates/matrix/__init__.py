"""The gates in every combination of settings that counts."""
