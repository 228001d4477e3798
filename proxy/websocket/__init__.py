"""Web sockets that agents talk to models over: from relayed frames to messages, calls and spans.

It looks on and takes no part: no frame is sent from here.
"""
