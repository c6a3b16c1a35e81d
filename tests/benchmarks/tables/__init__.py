"""What recording costs, beside what the database can take at all and beside the common way: `make bench-tables`."""
