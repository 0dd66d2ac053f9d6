"""Quality filters: signals are measured once, limits decide on them again and again."""
