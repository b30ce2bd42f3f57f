"""One verb a file: each returns a frozen value and prints nothing."""
