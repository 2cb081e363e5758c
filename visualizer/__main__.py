"""`visualizer`, and `python -m visualizer`: the command line."""

import atexit
import os
import signal
import sys
import threading


def run() -> None:
    """Run one command and leave; at once where a window was open.

    What is to be kept is written by then, and the engine has ended. Only memory is left, and the system takes that back
    faster than thousands of widgets and arrays are taken apart one by one.
    """
    foreground = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # a shell has it ignored elsewhere
    if foreground:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends it without a word: there is nobody yet who could say one
    from visualizer.cli import main

    if foreground:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    status = main()
    if foreground:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if "visualizer.ui.window" not in sys.modules:
        sys.exit(status)
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    run()
