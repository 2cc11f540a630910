"""Pages for administrators: users, sessions, and the audit log; operators also see the refused pushes."""
