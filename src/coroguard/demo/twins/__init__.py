"""Which modules of another team does the demonstration deploy beside the service?"""
