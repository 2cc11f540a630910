"""Documents in memory: writes, transforms, versions and the commit log."""
