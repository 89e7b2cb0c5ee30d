"""A media folder into a library: crawl, plan, pipeline, watch."""
