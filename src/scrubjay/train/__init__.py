"""From text to a tagger: data, synthesis, training, compression, calibration. Needs `[train]`."""
