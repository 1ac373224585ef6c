"""Methods: what the students are trained to minimise, one file a method."""
