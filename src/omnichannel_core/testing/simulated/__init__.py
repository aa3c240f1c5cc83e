"""What simulators of remotes are made of, so that each of them says only what its remote does.

`clock`: its time. `routing`: which handler answers which address. `faults`: what a test orders to go wrong. `exchange`:
one request and its answer over ASGI, faults included. `controls`: the part of the control API that all have. Nothing
here knows the rest of the library: a simulator stays independent of what is tried against it.
"""
