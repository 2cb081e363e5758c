"""The engine: a child process that runs the models, so that whatever a model does, the window goes on.

`client` is the window's side, `server` and `requests` are the child's, and `protocol` is what passes between them.
"""
