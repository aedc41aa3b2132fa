"""From inputs to results: one engine for `vlfau predict`, `vlfau.run`, the web page and the workers of an archive.

`options` declares the options, `engine` processes the inputs, `output_writer` writes the results, and `observer`
reports progress.

The path of a picture: `engine.run` -> `media.images.read_picture` -> `Predictor.predict` (`faces`, then the networks of
`inference`) -> `OutputWriter.write_picture` -> `drawing`, `tables`.
"""
