"""Guards and watches, and the judgement of a guarded call."""
