"""The lean relay: HTTP/1.1 passed on as the bytes it is, framed just enough to know its ends.

`head`, `body` and `reader` are sans-io: bytes in, what to forward and what to keep out. `tlswire`,
`wire` and `dial` own the sockets; `call` and `agent` drive an exchange and a connection. It does
not decode bodies, speak HTTP/2, or know what a model is.
"""
