"""The engines that are compared, one a module; each is also the program of its own worker processes."""
