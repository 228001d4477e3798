"""Boxes that are containers: the Docker backend of `traceproof.sandbox`.

`sandbox` is the door. docker-py (`pip install 'traceproof[docker]'`) is needed by `client` alone,
when it connects. Images are built elsewhere: in `traceproof.sandbox.environments`.
"""
