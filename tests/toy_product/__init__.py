"""A product that the engine has never heard of: parcels, with a queue, an effect and a table of its own."""
