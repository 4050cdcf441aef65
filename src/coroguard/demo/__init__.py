"""What does the bug, and the guard against it, look like in a real chat service?"""
