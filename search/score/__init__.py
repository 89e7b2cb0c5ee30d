"""Scoring: calibrated certainties of terms over the time of a part, and the intervals that match a plan."""
