"""Search and detection quality of a library: judged queries, ground truth, public datasets, metrics."""
