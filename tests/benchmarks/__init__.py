"""What things cost: each benchmark prints a table, and writes build/bench/<part>.json."""
