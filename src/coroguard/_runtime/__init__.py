"""State of the running process: mode, events and dropped coroutines."""
