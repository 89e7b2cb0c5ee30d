"""Refinement: the best intervals are rescored by sound detection, and parts are extended around them."""
