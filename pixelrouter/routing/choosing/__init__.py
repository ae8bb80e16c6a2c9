"""Who is asked: the order of the backends, and whether a paid request may leave now."""
