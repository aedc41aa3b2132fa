"""Results as tables: CSV, JSON Lines and Parquet, in our own columns or in those of OpenFace 2 and Py-Feat.

`write.open_sink` writes them one result at a time, `read.read_results` reads them.
"""
