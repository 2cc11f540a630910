"""Google Cloud Pub/Sub: clients, publishing, replay, the backlog, and starting and stopping delivery.

``delivery_control`` starts, stops and observes: it joins ``push_config_admin`` (the calls to Pub/Sub),
``delivery_state_store`` (the last state, in Firestore) and ``delivery_state`` (the problems in words).
"""
