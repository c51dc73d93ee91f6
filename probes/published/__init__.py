"""Published suites, read from the user's own copy: nothing of them is in this package."""
