"""What is derived from media for people to look at: previews, thumbnails, proxies, clips."""
