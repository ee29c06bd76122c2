"""A diagram as SVG: offline, without scripts or styles from elsewhere, everything in it escaped."""
