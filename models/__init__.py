"""Tables, the queries that read them, and the configuration."""
