"""Names that must not change colour: guards by path, audit and lock."""
