"""The store in memory: writes, transforms, versions, the commit log, and the queries and aggregations it answers."""
