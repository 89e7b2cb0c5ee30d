"""Files and folders that survive a crash: atomic and durable writes, the writer lock, quarantine."""
