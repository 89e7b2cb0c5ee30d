"""The browser page. No logic that the command line would need too."""
