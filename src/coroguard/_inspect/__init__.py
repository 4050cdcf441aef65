"""Objects asked what they are, without running any of their code."""
