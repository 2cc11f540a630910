"""Users, their sessions and passwords, and the limits on sign-in attempts, stored in Firestore.

A sign-in takes a slot (``sign_in_slots``), is counted (``sign_in_attempts`` by the rules of ``lock_policy``), and only
then compares the password (``passwords``). ``user_store`` joins them; ``session_store`` keeps who is signed in.
"""
