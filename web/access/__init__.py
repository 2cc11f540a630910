"""Who may do what: sign-in, roles, Google's Identity-Aware Proxy, and masking by role."""
