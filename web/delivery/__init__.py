"""Delivery: the state of each subscription, Start and Stop, and the backlog.

It knows no messages and no list. The list, the banners and the API show what it reads.
"""
