"""A request and the plan that it is compiled to."""
