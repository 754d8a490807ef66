"""Small convolutional networks, many models at once, with samples last in memory."""
