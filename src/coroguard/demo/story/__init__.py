"""The steps of the demonstration, and the evidence for each of their claims."""
