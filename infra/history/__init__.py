"""The records of what happened: the audit log, and paging through records by time."""
