"""From inputs to results: one engine for `vlfau predict`, `vlfau.run`, the web page and the workers of an archive.

`options` says what can be chosen, `engine` goes through the inputs, `output_writer` writes what is found, `observer` is
told how far the run is.

The way of a picture: `engine.run` -> `media.images.read_picture` -> `Predictor.predict` (`faces`, then the networks of
`inference`) -> `OutputWriter.write_picture` -> `drawing`, `tables`.
"""
