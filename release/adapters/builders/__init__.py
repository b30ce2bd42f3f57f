"""What builds images: engines that are here, and one of our own that needs none."""
