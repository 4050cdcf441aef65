"""The colours and the contracts of a package, written down and compared."""
