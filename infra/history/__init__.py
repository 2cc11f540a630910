"""The audit log, and pages of records by time. Records are added and read, never changed."""
