"""The starter set's training data, a small generated world with exact ground truth, and its trainer."""
