"""Search: compile a query, encode it, retrieve candidates, score and refine them, and return ranked moments."""
