"""What does a guard cost, beside its peers, on this machine?"""
