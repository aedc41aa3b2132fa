"""Damaged inputs for everything that reads a file: `python -m tests.fuzz --count 10000 --seed 0`.

A reader may return a valid object or raise a `VlfauError`. Whatever else happens is a failure: another exception, a
crash, a hang, memory without bound, or a program that starts. `engine` runs the inputs in a child process and watches
it; each other module holds the kinds of one sort of file.
"""
