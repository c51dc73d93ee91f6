"""One short file per headline result; each calls rooms and reimplements nothing."""
