"""A chat service, small enough to be looked through."""
