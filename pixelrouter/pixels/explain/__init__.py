"""What finishing did to a picture, to look at."""
