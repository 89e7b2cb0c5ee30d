"""Search requests, the query language, and the plan that a request compiles to."""
