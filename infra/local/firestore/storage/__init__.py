"""The store in memory: writes, transforms, versions, the commit log, queries and aggregations."""
