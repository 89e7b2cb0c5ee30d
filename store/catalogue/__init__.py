"""The DuckDB catalogue: its connections, schema, migrations, mutations and snapshots."""
