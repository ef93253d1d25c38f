"""Glue: the tables of the catalog, as SerDes read them."""
