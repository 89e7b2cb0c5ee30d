"""Pictures and clips derived from media for display: previews, thumbnails, proxies, exported clips."""
