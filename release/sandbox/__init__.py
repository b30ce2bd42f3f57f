"""A world to try releases in: whole fleets of real git repositories in one folder. It knows nothing of the rest."""
