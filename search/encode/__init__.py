"""Terms and examples to query vectors."""
