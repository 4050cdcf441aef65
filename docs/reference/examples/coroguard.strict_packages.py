from coroguard import strict_packages

# Before the package is imported; in strict mode its annotated values are checked.
strict_packages("wave")
