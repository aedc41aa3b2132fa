"""Archives of videos and pictures, analysed by many processes or machines with Ray Data.

`archive.process_archive` does it all: the driver lists the files and divides them into units (`inputs`), and deals
these out (`cluster`, `pipeline`); workers write one shard per unit (`worker`) and send back one line per file, which
the driver keeps (`journal`).
"""
