"""The browser page. Logic that the command line shares is in other packages."""
