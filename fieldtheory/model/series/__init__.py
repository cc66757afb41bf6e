"""The series in 1/samples with numbers: on the sphere, on points, in either ensemble."""
