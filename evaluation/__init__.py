"""How well a library answers: judged queries, truths, datasets, and their metrics."""
