"""Archives of videos and pictures, judged by many processes or machines with Ray Data.

`archive.process_archive` does it all: the driver lists the files (`inputs`) and deals out units of work (`units`);
workers write one shard a unit (`worker`) and send back a line a file (`outcome`), which the driver keeps (`journal`).
"""
