"""Every function of other people's packages guarded, and their own tests run."""
