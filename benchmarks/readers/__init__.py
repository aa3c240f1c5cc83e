"""One module per form of a result; each has `read(what)`, yielding orders as the checker wants them."""
