"""Files and folders that survive a crash: durable writes, the writer lock, quarantine."""
