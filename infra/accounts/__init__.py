"""Users, their sessions and passwords, and the limits on sign-in attempts, stored in Firestore.

A sign-in (``sign_in``) takes a place in the ``sign_in_queue``, is counted (``sign_in_attempts`` by the rules of
``lock_policy``), and only then compares the password (``passwords``, chosen by ``password_rules``). ``user_store``
joins them; ``session_store`` keeps who is signed in.
"""
