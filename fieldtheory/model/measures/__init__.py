"""Where inputs lie, and the modes a kernel has there."""
