"""Users, their sessions and passwords, and the limits on sign-in attempts, stored in Firestore."""
