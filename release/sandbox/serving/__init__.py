"""What the servers of the embedded world have in common: a thread that serves, a store of documents, and faults by plan."""
