"""Pages for administrators: users, sessions, the audit log, refused pushes."""
