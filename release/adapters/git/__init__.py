"""Git, through GitPython: the checkout a person stands in, remotes, and the records on them."""
