"""A running page answers the queries of other processes of its user, which then need not load the models."""
