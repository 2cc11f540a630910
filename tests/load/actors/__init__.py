"""The actors: a publisher, stream clients, readers of pages, an operator, faults and attackers."""
