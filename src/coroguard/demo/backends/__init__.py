"""Which real servers does the demonstration bring along?"""
