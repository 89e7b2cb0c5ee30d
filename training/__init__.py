"""What made the starter set: a small generated world with exact truths, and the trainer that learnt it."""
