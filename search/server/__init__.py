"""A running page answers queries of other processes of the same user, which saves them loading the models."""
